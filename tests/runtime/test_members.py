"""Frames, arrays, models, files and other objects: what becomes a file of its own."""

import collections
import hashlib
import importlib
import io
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from stepweave.errors import CodecError
from stepweave.runtime.codecs import source
from stepweave.runtime.codecs.values import StoredValue, load_value, store_value
from stepweave.runtime.scratch import Scratch
from stepweave.stores.objects import open_store
from tests.runtime.sample_tasks import Interval


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


@pytest.fixture
def scratch():
    made = Scratch()
    yield made
    made.close()


@pytest.fixture
def kept(store, scratch):
    """Stores a value; what was stored, and the value again."""

    def keep(value, prefix="runs/d/r/t"):
        stored, _ = store_value(value, store, prefix, scratch)
        return stored, load_value(stored, store, scratch)

    return keep


def add_one(rows):
    return rows + 1


class Model:
    def __init__(self, weight):
        self.weight = weight


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.array([1.5, np.nan, np.inf], dtype="float32"),
        np.array(3.0),
        np.array(["a", "bc"]),
        np.array(["2026-01-01"], dtype="datetime64[ns]"),
        np.zeros((0, 4)),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ],
)
def test_an_array_is_an_npy_file(kept, array):
    stored, found = kept(array)
    assert (stored.codec, stored.key) == ("npy", "runs/d/r/t/output.npy")
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)


def test_an_array_of_objects_is_pickled(kept):
    stored, found = kept(np.array([{"a": 1}, None], dtype=object))
    assert stored.codec == "pickle"
    assert found.tolist() == [{"a": 1}, None]


def test_a_dict_of_arrays_is_one_npz_file(kept):
    stored, found = kept({"x": np.arange(3), "y": np.eye(2)})
    assert (stored.codec, stored.key) == ("npz", "runs/d/r/t/output.npz")
    assert list(found) == ["x", "y"]
    np.testing.assert_array_equal(found["y"], np.eye(2))


@pytest.mark.parametrize("names", [("file", "x"), ("a/b", "x"), ("a.b", "x")])
def test_names_that_npz_cannot_hold_are_kept_another_way(kept, names):
    stored, found = kept({name: np.arange(2) for name in names})
    assert stored.codec == "json"
    assert list(found) == list(names)
    np.testing.assert_array_equal(found[names[0]], np.arange(2))


def test_numpy_scalars_become_python_numbers_and_dates_stay_exact(kept):
    value = [np.float64(0.1), np.int64(7), np.bool_(True), np.str_("x"), np.float32(0.5), np.complex128(1j)]
    _, found = kept(value)
    assert found == [0.1, 7, True, "x", 0.5, 1j]
    assert [type(member) for member in found] == [float, int, bool, str, float, complex]
    date = np.datetime64("2026-11-21T00:00:00.123456789", "ns")
    _, found = kept([date])
    assert found == [date]
    assert found[0].dtype == date.dtype


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [1.5, float("nan")]}),
        pd.DataFrame(
            {"a": pd.array([1, None], dtype="Int64"), "t": pd.to_datetime(["2026-01-01", None], utc=True)}
        ),
        pd.DataFrame(
            {"k": pd.Categorical(["a", "b"], categories=["b", "a"], ordered=True)}, index=["r1", "r2"]
        ),
        pd.DataFrame({"v": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])),
        pd.DataFrame({"d": pd.to_timedelta([1, 2], unit="s"), "f": np.array([1, 2], dtype="float32")}),
        pd.DataFrame({"a": []}),
        pd.DataFrame(index=[1, 2]),
    ],
)
def test_a_pandas_frame_is_a_parquet_file(kept, frame):
    stored, found = kept(frame)
    assert (stored.codec, stored.key) == ("pandas-parquet", "runs/d/r/t/output.parquet")
    pd.testing.assert_frame_equal(found, frame, check_freq=False)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({0: [1], 1: [2]}),
        pd.DataFrame({"a": [1, "x"]}),
        pd.DataFrame({"a": [[1, 2], None]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
        pd.DataFrame({"a": pd.period_range("2026", periods=2, freq="M")}),
    ],
)
def test_a_frame_comes_back_the_same_even_if_parquet_cannot_hold_it(kept, frame):
    _, found = kept(frame)
    pd.testing.assert_frame_equal(found, frame)


@pytest.mark.parametrize("name", [None, "price", 3])
def test_a_series_keeps_its_name_and_index(kept, name):
    series = pd.Series([1.5, 2.5], index=["a", "b"], name=name)
    stored, found = kept(series)
    assert stored.codec == "pandas-series-parquet"
    pd.testing.assert_series_equal(found, series)


def test_polars_frames_and_series_are_parquet_files(kept):
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"], "c": [[1, 2], []]})
    stored, found = kept(frame)
    assert stored.codec == "polars-parquet"
    assert found.equals(frame)
    assert found.schema == frame.schema
    stored, found = kept(frame["b"], "runs/d/r/u")
    assert stored.codec == "polars-series-parquet"
    assert found.equals(frame["b"], check_names=True)


def test_a_lazy_frame_is_refused_with_the_remedy(kept):
    with pytest.raises(CodecError, match=r"return lazy_frame\.collect\(\)"):
        kept(pl.DataFrame({"a": [1]}).lazy())


def test_an_arrow_table_is_a_parquet_file(kept):
    table = pa.table({"a": [1, 2], "b": [{"x": 1}, None]})
    stored, found = kept(table)
    assert stored.codec == "arrow-parquet"
    assert found.equals(table)


def test_a_fitted_model_that_skops_trusts_is_kept_without_pickle(kept):
    rows, labels = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels)
    stored, found = kept(model)
    assert (stored.codec, stored.key) == ("skops", "runs/d/r/t/output.skops")
    np.testing.assert_array_equal(found.predict_proba(rows), model.predict_proba(rows))


def test_a_fitted_model_that_skops_does_not_trust_is_kept_by_joblib(kept):
    model = FunctionTransformer(add_one).fit(np.eye(2))
    stored, found = kept(model)
    assert stored.codec == "joblib"
    np.testing.assert_array_equal(found.transform(np.eye(2)), np.eye(2) + 1)


def test_other_objects_are_pickled(kept):
    stored, found = kept(Model(3))
    assert (stored.codec, stored.key) == ("pickle", "runs/d/r/t/output.pkl")
    assert found.weight == 3


@pytest.mark.parametrize(
    "make, kind",
    [
        (lambda: (number for number in ()), "generator"),
        (lambda: lambda: 1, "function"),
        (lambda: io.TextIOWrapper(io.BytesIO()), "TextIOWrapper"),
        (lambda: __import__("threading").Lock(), "lock"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_where_it_is_and_the_fix(kept, make, kind):
    value = make()
    with pytest.raises(
        CodecError, match=rf"value\['a'\]\[0\] is a .*{kind}, which cannot be stored .* return data"
    ):
        kept({"a": [value]})
    if isinstance(value, io.IOBase):
        value.close()


def test_members_of_containers_are_files_of_their_own(kept, store):
    value = {
        "frame": pd.DataFrame({"a": [1]}),
        "more": [np.arange(2), (Interval(0.0), b"x" * 5000)],
        "auc": 0.9,
    }
    stored, found = kept(value)
    assert stored.codec == "json"
    pd.testing.assert_frame_equal(found["frame"], value["frame"])
    np.testing.assert_array_equal(found["more"][0], np.arange(2))
    assert found["more"][1] == value["more"][1]
    assert found["auc"] == 0.9
    assert sorted(key.rsplit(".")[-1] for key, _ in store.list("runs/d/r/t/parts")) == [
        "bin",
        "npy",
        "parquet",
    ]


def test_equal_members_are_stored_once(kept, store):
    _, found = kept([np.arange(9)] * 3)
    assert len(found) == 3
    assert len(list(store.list("runs/d/r/t/parts"))) == 1


def test_bytes_are_a_file_as_they_are(kept, store):
    stored, found = kept(b"x" * 5000)
    assert found == b"x" * 5000
    assert store.get(stored.key) == b"x" * 5000
    assert kept(bytearray(b"y" * 5000), "runs/d/r/u")[1] == bytearray(b"y" * 5000)


def test_a_folder_comes_back_with_everything_in_it(kept, tmp_path):
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "weights.bin").write_bytes(b"w" * 10)
    (folder / "config.json").write_text("{}")
    stored, found = kept(folder)
    assert stored.codec == "path"
    assert found.name == "model"
    assert found != folder
    assert (found / "deep" / "weights.bin").read_bytes() == b"w" * 10
    assert sorted(path.name for path in found.rglob("*")) == ["config.json", "deep", "weights.bin"]


def test_a_reader_cannot_change_what_was_stored(kept, store, tmp_path):
    (tmp_path / "a.txt").write_text("stored")
    stored, found = kept(tmp_path / "a.txt")
    found.write_text("changed")
    assert store.get(stored.key) == b"stored"


def test_a_path_that_does_not_exist_is_refused(kept):
    with pytest.raises(CodecError, match=r"value\[0\] is the path 'nowhere/x', which does not exist"):
        kept([Path("nowhere/x")])


@pytest.mark.parametrize("value", [np.arange(3), Model(1), "x" * 20_000, b"x" * 5000])
def test_content_that_was_changed_is_refused(kept, store, scratch, value):
    stored, _ = kept(value)
    store.put(stored.key, store.get(stored.key) + b" ")
    with pytest.raises(CodecError, match="is not what was stored: expected SHA-256"):
        load_value(stored, store, scratch)


def test_a_changed_pickle_is_never_loaded(kept, store, scratch):
    stored, _ = kept(Model(1))
    buffer = io.BytesIO()
    joblib.dump(collections.Counter(), buffer)
    store.put(stored.key, b"cos\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(CodecError, match="is not what was stored"):
        load_value(stored, store, scratch)
    assert not Path("pwned").exists()


def test_a_stored_path_cannot_lead_out_of_its_folder(store, scratch):
    store.put("runs/d/r/t/output.txt", b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    part = {
        "codec": "path",
        "name": "../../evil",
        "key": "runs/d/r/t/output.txt",
        "digest": digest,
        "size": 1,
    }
    stored = source_value(part)
    with pytest.raises(CodecError, match="leads out of its folder"):
        load_value(stored, store, scratch)


def source_value(part):
    return StoredValue(
        codec=part["codec"], digest=part["digest"], size=part["size"], key=part["key"], part=part
    )


@pytest.mark.parametrize(
    "value",
    [
        np.arange(1000),
        {"x": np.arange(1000), "y": np.arange(3)},
        pd.DataFrame({"a": range(1000)}),
        pl.DataFrame({"a": range(1000)}),
    ],
)
def test_large_values_go_through_files(kept, store, monkeypatch, value):
    for module in ("source", "arrays", "frames", "polars_frames", "parts"):
        codec = importlib.import_module(f"{source.__package__}.{module}")
        monkeypatch.setattr(codec, "LARGE_BYTES", 100, raising=False)
    stored, found = kept(value)
    assert stored.key.startswith("runs/d/r/t/output-")
    assert store.size(stored.key) == stored.size > 100
    assert str(found) == str(value)


def test_a_missing_library_is_named(store, scratch, kept, monkeypatch):
    stored, _ = kept(pl.DataFrame({"a": [1]}))
    monkeypatch.delitem(sys.modules, "stepweave.runtime.codecs.polars_frames")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(CodecError, match="needs the package 'polars', which is not installed here"):
        load_value(stored, store, scratch)


def test_an_unknown_codec_is_named(store, scratch):
    store.put("k", b"x")
    part = {"codec": "zarr", "key": "k", "digest": hashlib.sha256(b"x").hexdigest(), "size": 1}
    with pytest.raises(CodecError, match="unknown codec 'zarr'"):
        load_value(source_value(part), store, scratch)


def test_a_dict_costs_no_import_of_a_data_library(tmp_path):
    code = (
        "import sys\n"
        "from stepweave.runtime.codecs.values import store_value\n"
        "from stepweave.runtime.scratch import Scratch\n"
        "from stepweave.stores.objects import open_store\n"
        f"store_value({{'a': [1, (2, {{3}})]}}, open_store({str(tmp_path)!r}), 'runs/d/r/t', Scratch())\n"
        "names = 'numpy', 'pandas', 'polars', 'pyarrow', 'sklearn', 'pydantic'\n"
        "sys.exit(any(name in sys.modules for name in names))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
