"""Bytecode is the same wherever and in whichever order it is made, and is never checked against its source."""

from __future__ import annotations

import dis
import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType

import pytest

from infra.packaging.compilation import cached_name, compiled, compiled_set
from infra.packaging.dependencies import dependencies
from infra.packaging.interpreters import Interpreter
from infra.packaging.profile import local_profile
from stepweave.errors import UsageError

THIS = Interpreter(sys.executable, "this")
UNCHECKED_HASH = 1
"""https://peps.python.org/pep-0552/"""
RATES = {"shop/rates.py": b"EURO = 2\n"}


def code_of(file: Path) -> CodeType:
    content = file.read_bytes()
    assert content[:4] == importlib.util.MAGIC_NUMBER
    return marshal.loads(content[16:])  # type: ignore[no-any-return]


def many() -> dict[str, bytes]:
    """Sources with what tends to differ from one compilation to the next."""
    text = """
NAMES = {{'one', 'two', 'n{0}'}}
def f{0}(x):
    'It adds {0}.'
    return x in {{'a', 'b', 'c{0}', 7000}}
"""
    return {f"shop/m{number}.py": text.format(number).encode() for number in range(250)}


def test_python_takes_it_without_a_look_at_the_source(tmp_path: Path) -> None:
    (file,) = compiled(THIS, RATES, tmp_path).values()
    flags = int.from_bytes(file.read_bytes()[4:8], "little")
    assert flags == UNCHECKED_HASH
    assert file.read_bytes()[8:16] == importlib.util.source_hash(RATES["shop/rates.py"])
    assert 2 in [instruction.argval for instruction in dis.get_instructions(code_of(file))]


def test_its_tracebacks_name_the_place_in_the_function(tmp_path: Path) -> None:
    (file,) = compiled(THIS, RATES, tmp_path).values()
    assert code_of(file).co_filename == "/var/task/shop/rates.py"


def test_it_lies_where_python_looks_for_it(tmp_path: Path) -> None:
    assert list(compiled(THIS, RATES, tmp_path)) == ["shop/__pycache__/rates.this.pyc"]
    here = importlib.util.cache_from_source("shop/rates.py", optimization="")
    assert cached_name("shop/rates.py", str(sys.implementation.cache_tag)) == here


def test_it_is_made_once_for_a_content_and_a_place(tmp_path: Path) -> None:
    (made,) = compiled(THIS, RATES, tmp_path).values()
    gone = Interpreter("/no/such/python", THIS.tag)
    assert list(compiled(gone, RATES, tmp_path).values()) == [made]
    (moved,) = compiled(THIS, {"shop/prices.py": RATES["shop/rates.py"]}, tmp_path).values()
    assert moved != made, "a traceback names the place"


def test_the_same_bytes_alone_together_and_in_any_order(tmp_path: Path) -> None:
    sources = many()
    together = compiled(THIS, sources, tmp_path / "together")
    apart: dict[str, Path] = {}
    names = sorted(sources, reverse=True)
    for names_of_some in (names[:3], names[3:150], names[150:]):
        apart |= compiled(THIS, {name: sources[name] for name in names_of_some}, tmp_path / "apart")
    assert apart.keys() == together.keys()
    assert all(apart[name].read_bytes() == together[name].read_bytes() for name in together)


def test_what_this_python_does_not_understand_is_left_out(tmp_path: Path) -> None:
    broken = {"shop/template.py": b"class {{ name }}:\n", "shop/null.py": b"a\0b"}
    made = compiled(THIS, {**RATES, **broken}, tmp_path)
    assert list(made) == ["shop/__pycache__/rates.this.pyc"]


def test_warnings_of_a_library_reach_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert compiled(THIS, {"old.py": rb"PATTERN = '\d'"}, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_an_interpreter_that_fails_is_an_error_with_what_it_says(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no library >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(UsageError, match=r"(?s)compiling with .*/python failed:\nno library"):
        compiled(Interpreter(str(broken), "broken"), RATES, tmp_path / "cache")


def test_a_set_has_a_folder_for_each_distribution(project: Path) -> None:
    cache = project / "cache"
    unpacked = dependencies(local_profile("lambda"), ["tables", "large"], project, cache)
    folders = compiled_set(THIS, unpacked, cache)
    found = {
        name: sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.pyc"))
        for name, folder in folders.items()
    }
    assert found == {
        "large": ["__pycache__/large.this.pyc"],
        "sums": ["__pycache__/sums.this.pyc"],
        "tables": [
            "tables/__pycache__/__init__.this.pyc",
            "tables/__pycache__/sums.this.pyc",
            "tables/deep/__pycache__/__init__.this.pyc",
        ],
    }


def test_two_sets_share_the_files_of_what_both_have(project: Path) -> None:
    cache = project / "cache"
    small = dependencies(local_profile("lambda"), ["tables"], project, cache)
    large = dependencies(local_profile("lambda"), ["tables", "large"], project, cache)
    one, two = (compiled_set(THIS, unpacked, cache)["sums"] for unpacked in (small, large))
    assert one != two
    assert next(one.rglob("*.pyc")).samefile(next(two.rglob("*.pyc")))
