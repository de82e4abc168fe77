"""Files to map over."""

from __future__ import annotations

from pathlib import Path

from stepweave.recipes.listing import list_objects


def test_files_below_a_folder_are_listed_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "deep/c.csv", "d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")

    folder = str(tmp_path)

    assert list_objects(folder, suffix=".csv") == [
        f"{folder}/{name}" for name in ("a.csv", "b.csv", "deep/c.csv")
    ]
    assert list_objects(f"{folder}/deep/") == [f"{folder}/deep/c.csv"]
    assert all(Path(path).is_file() for path in list_objects(folder))


def test_a_folder_without_such_files_gives_no_items(tmp_path: Path) -> None:
    assert list_objects(str(tmp_path), suffix=".csv") == []
