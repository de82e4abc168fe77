import multiprocessing
import os
import subprocess
import sys
import threading

import pytest

from stepweave.errors import StoreError, UsageError
from stepweave.stores.objects import open_store
from tests.stores.aws_on_loopback import BUCKET, aws_on_loopback, point_to
from tests.stores.scripted_s3 import s3_that_answers


@pytest.fixture(scope="module")
def server():
    with aws_on_loopback() as url:
        yield url


@pytest.fixture
def loopback(server, monkeypatch):
    point_to(server, monkeypatch)


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    if request.param == "local":
        return open_store(tmp_path / "objects")
    request.getfixturevalue("loopback")
    return open_store(f"s3://{BUCKET}/{tmp_path.name}")


def test_what_is_put_is_got(store):
    store.put("a/b c!2f.json", b"one")
    store.put("a/b c!2f.json", b"two")
    assert store.get("a/b c!2f.json") == b"two"
    assert store.size("a/b c!2f.json") == 3


def test_a_missing_object_is_none_or_an_error_that_names_it(store):
    assert store.get_or_none("a/b") is None
    assert store.size("a/b") is None
    with pytest.raises(StoreError, match="no object 'a/b' in the store"):
        store.get("a/b")
    store.delete("a/b")


def test_create_never_replaces(store):
    assert store.create("a/result.json", b"first") is True
    assert store.create("a/result.json", b"second") is False
    assert store.get("a/result.json") == b"first"


def test_one_of_many_concurrent_creates_wins(store):
    won = []

    def create(number):
        if store.create("race/result.json", str(number).encode()):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.get("race/result.json") == str(won[0]).encode()


def test_delete_makes_room_for_a_create(store):
    store.create("a/result.json", b"first")
    store.delete("a/result.json")
    assert store.create("a/result.json", b"second") is True


def test_swap_replaces_only_what_was_read(store):
    assert store.read("a/state.json") is None
    assert store.swap("a/state.json", b"lost", "no such tag") is False
    assert store.swap("a/state.json", b"first", None) is True
    assert store.swap("a/state.json", b"again", None) is False
    data, tag = store.read("a/state.json")
    assert data == b"first"
    assert store.swap("a/state.json", b"second", tag) is True
    assert store.swap("a/state.json", b"third", tag) is False
    assert store.get("a/state.json") == b"second"
    assert list(store.list("a")) == [("a/state.json", 6)]


def test_of_many_concurrent_swaps_none_is_lost(store):
    store.put("count.json", b"0")

    def count_up():
        for _ in range(5):
            data, tag = store.read("count.json")
            while not store.swap("count.json", str(int(data) + 1).encode(), tag):
                data, tag = store.read("count.json")

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("count.json") == b"20"


def test_list_gives_what_is_below_a_folder_in_order(store):
    for key in ("r/b/2", "r/a/1", "r/ab", "rx/1"):
        store.put(key, key.encode())
    assert list(store.list("r")) == [("r/a/1", 5), ("r/ab", 4), ("r/b/2", 5)]
    assert list(store.list("nothing")) == []


def test_files_are_uploaded_and_downloaded(store, tmp_path):
    content = os.urandom(3 << 20)
    (tmp_path / "up").write_bytes(content)
    store.upload(str(tmp_path / "up"), "files/x.bin")
    store.download("files/x.bin", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == content
    with pytest.raises(StoreError, match=r"no object 'files/y\.bin'"):
        store.download("files/y.bin", str(tmp_path / "down"))


def test_the_same_store_opens_from_its_url(store):
    store.put("a", b"1")
    assert open_store(store.url).get("a") == b"1"


def test_keys_that_lead_out_are_refused(store):
    with pytest.raises(StoreError, match="canonical"):
        store.put("../outside", b"")


def test_a_local_object_is_never_seen_half_written(tmp_path):
    store = open_store(tmp_path)
    writer = multiprocessing.get_context("spawn").Process(target=_rewrite_for_ever, args=(str(tmp_path),))
    writer.start()
    try:
        seen = set()
        while len(seen) < 3:
            data = store.get_or_none("torn/x")
            if data is not None:
                assert len(data) == 1 << 20
                assert data == data[:1] * len(data)
                seen.add(data[:1])
    finally:
        writer.kill()
        writer.join()
    assert [key for key, _ in store.list("torn")] == [
        "torn/x"
    ]  # the killed writer's temporary file is not listed


def _rewrite_for_ever(root):
    store = open_store(root)
    while True:
        for letter in b"abcd":
            store.put("torn/x", bytes([letter]) * (1 << 20))


def test_a_local_error_says_what_and_where(tmp_path):
    (tmp_path / "a").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"cannot write 'a/b' in the store .*"):
        open_store(tmp_path).put("a/b", b"")
    assert open_store(tmp_path).get_or_none("a/b") is None


def test_only_a_local_store_has_local_paths(tmp_path, loopback):
    assert open_store(tmp_path).local_path("a/b") == str(tmp_path / "a" / "b")
    assert open_store(f"s3://{BUCKET}").local_path("a/b") is None


@pytest.mark.parametrize(
    "url, message", [("gs://bucket", "unknown scheme 'gs'"), ("s3:///prefix", "no bucket"), ("", "empty")]
)
def test_addresses_that_cannot_work_are_refused(url, message):
    with pytest.raises(UsageError, match=message):
        open_store(url)


def test_a_file_url_is_a_folder(tmp_path):
    open_store(f"file://{tmp_path}/with%20space").put("a", b"1")
    assert (tmp_path / "with space" / "a").read_bytes() == b"1"


def test_a_wrong_bucket_is_an_error_that_names_it(loopback):
    with pytest.raises(StoreError, match="s3://no-such-bucket"):
        open_store("s3://no-such-bucket/x").put("a", b"")


def test_a_create_that_s3_has_in_conflict_with_another_write_is_made_again(monkeypatch):
    with s3_that_answers(409, 409, 200, 412) as (url, asked):
        point_to(url, monkeypatch)
        store = open_store(f"s3://{BUCKET}")
        assert store.create("a", b"1")
        assert not store.create("a", b"2")
    assert asked == ["*"] * 4


def test_a_create_that_is_always_in_conflict_is_an_error_and_not_an_object(monkeypatch):
    monkeypatch.setattr("stepweave.stores.remote._PAUSES_SECONDS", (0.0, 0.0))
    with s3_that_answers(409, 409) as (url, _):
        point_to(url, monkeypatch)
        with pytest.raises(StoreError, match="other writes of it were under way"):
            open_store(f"s3://{BUCKET}").create("a", b"1")


def test_a_large_file_goes_to_s3_in_parts(loopback, tmp_path):
    content = os.urandom(20 << 20)
    (tmp_path / "large").write_bytes(content)
    store = open_store(f"s3://{BUCKET}/large")
    store.upload(str(tmp_path / "large"), "x.bin")
    assert store.get("x.bin") == content


def test_a_large_file_comes_from_s3_by_several_requests(loopback, tmp_path, monkeypatch):
    monkeypatch.setattr("stepweave.stores.remote._ANSWER_BYTES", 3 << 20)
    content = os.urandom((7 << 20) + 1)
    store = open_store(f"s3://{BUCKET}/large")
    store.put("y.bin", content)
    store.download("y.bin", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == content


def test_credentials_may_come_from_a_profile(loopback, tmp_path, monkeypatch):
    (tmp_path / "credentials").write_text("[ci]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "ci")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    store = open_store(f"s3://{BUCKET}/profile")
    store.put("a", b"1")
    assert store.get("a") == b"1"


def test_a_forked_child_is_refused_instead_of_hanging(loopback):
    code = (
        "import os, sys\n"
        "from stepweave.stores.objects import open_store\n"
        f"store = open_store('s3://{BUCKET}/fork')\n"
        "store.put('a', b'1')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        store.get('a')\n"
        "    except Exception as error:\n"
        "        os._exit(7 if 'spawn' in str(error) else 8)\n"
        "    os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 7


def test_a_local_store_does_not_import_obstore():
    code = "import sys, stepweave.stores.objects as o; o.open_store('.'); sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
