"""Local folders answer like a bucket where the file system does what no bucket does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plait.plugin import GiveUp, Item, Missing, Put, StoredObject, TryAgain

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path


def test_the_current_folder_can_be_listed(
    tmp_path: Path, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path such as `./*.json` asks for it; no URI begins with `./`."""
    monkeypatch.chdir(tmp_path)
    storage.put([Put(uri="./b.json", data=b"x"), Put(uri="./a/c.json", data=b"x")])
    assert [item.uri for item in storage.list("./")] == ["a/c.json", "b.json"]


def test_a_file_that_goes_while_its_folder_is_listed_is_left_out(tmp_path: Path, storage: Any) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    listed = storage.list(f"{tmp_path}/")
    assert next(listed).uri == f"{tmp_path}/a"
    (tmp_path / "b").unlink()
    assert [item.uri for item in listed] == [f"{tmp_path}/c"]


def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(tmp_path: Path, storage: Any) -> None:
    (tmp_path / "out").mkdir()
    (answer,) = storage.put([Put(uri=f"{tmp_path}/out", data=b"x")])
    assert type(answer) is GiveUp
    assert (answer.message, answer.code) == (f"`{tmp_path}/out` cannot be made", "no-folder")
    assert answer.help
    assert [*tmp_path.rglob("*")] == [tmp_path / "out"]


def test_an_error_of_the_file_system_is_one_of_ours_in_one_line(tmp_path: Path, storage: Any) -> None:
    (tmp_path / "loop").symlink_to("loop")
    loop, unnameable = storage.get([f"{tmp_path}/loop", f"{tmp_path}/a\0b"])
    assert isinstance(loop, TryAgain)
    assert loop.message.endswith("cannot be used now: too many levels of symbolic links")
    assert isinstance(unnameable, GiveUp)
    assert "cannot be used" in unnameable.message


def test_each_file_to_remove_has_an_answer_of_its_own(tmp_path: Path, storage: Any) -> None:
    (tmp_path / "file").write_bytes(b"x")
    uris = [f"{tmp_path}/a\0b", f"{tmp_path}/file"]
    refused, removed = storage.remove([Item(uri=uri) for uri in uris])
    assert isinstance(refused, GiveUp)
    assert removed is None
    assert [*tmp_path.iterdir()] == []


def test_local_folders_answer_like_a_bucket(
    tmp_path: Path, storage: Any, monkeypatch: pytest.MonkeyPatch, calls: Counter[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    uris = ["./in/b c.json", "in/a%41.json", "in/deep/ñ.json"]
    written = storage.put([Put(uri=uri, data=b"x") for uri in uris])
    assert [w.uri for w in written] == ["in/b c.json", "in/a%41.json", "in/deep/ñ.json"]
    assert [i.uri for i in storage.list("./in/")] == ["in/a%41.json", "in/b c.json", "in/deep/ñ.json"]
    assert [i.uri for i in storage.list("in/d")] == ["in/deep/ñ.json"]
    assert [*storage.list("in/z")] == []
    with pytest.raises(GiveUp, match="no folder `nowhere`"):  # as a bucket that is not there
        [*storage.list("nowhere/")]
    stored, folder, missing = storage.get(["./in/b c.json", "in", "in/none"])
    assert isinstance(stored, StoredObject)
    assert stored.item == next(i for i in storage.list("in/b"))
    assert isinstance(folder, Missing)
    assert isinstance(missing, Missing)
    assert storage.remove([Item(uri=uri) for uri in ("in/none", *uris)]) == [None] * 4
    assert [*storage.list("in/")] == []
    assert not calls


def test_a_local_file_is_replaced_whole(tmp_path: Path, storage: Any) -> None:
    uri = str(tmp_path / "f")
    for data in (b"long long", b"short"):
        storage.put([Put(uri=uri, data=data)])
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert next(storage.get([uri])).data == b"short"
