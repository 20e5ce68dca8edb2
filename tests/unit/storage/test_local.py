"""Local folders answer like a bucket where the file system does what no bucket does."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from plait.plugin import GiveUp, Item, Missing, Put, StoredObject, TryAgain
from plait.storage.objects import Storage

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


@pytest.mark.parametrize("room", [10, 1_000, 100_000])
def test_thousands_are_put_and_read_in_the_order_asked_whatever_room_they_have(
    tmp_path: Path, room: int
) -> None:
    """Where the room has space for many, a thread reads several before it reports."""
    uris = [f"{tmp_path}/{number}" for number in range(2_000)]
    storage = Storage(lambda _operation, _n: None, room=room)
    puts = [Put(uri=uri, data=uri.encode()) for uri in uris if not uri.endswith("77")]
    assert [answer.uri for answer in storage.put(puts)] == [put.uri for put in puts]  # type: ignore[union-attr]
    answers = [*storage.get(uris)]
    assert [a.uri if isinstance(a, Missing) else a.data.decode() for a in answers] == uris  # type: ignore[union-attr]
    assert sum(isinstance(answer, Missing) for answer in answers) == 20


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


def test_a_folder_that_may_not_be_read_is_an_error_that_names_it(
    tmp_path: Path, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files would be missing from the lake, and nobody would know."""
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def scan(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(GiveUp) as caught:
        [*storage.list(f"{tmp_path}/")]
    assert caught.value.message == f"the folder `{tmp_path}/closed` cannot be listed: permission denied"
    assert caught.value.code == "denied"


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path, storage: Any) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.json").write_bytes(b"x")
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "deep" / "again").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "deep" / "a.json").write_bytes(b"x")
    assert [item.uri for item in storage.list(f"{tmp_path}/in/")] == [
        f"{tmp_path}/in/deep/a.json",
        f"{tmp_path}/in/linked/b.json",
    ]


def test_an_odd_file_is_listed_and_fails_alone(tmp_path: Path, storage: Any) -> None:
    """A pipe does not wait for its other end, and a device gives no bytes."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    listed = [*storage.list(f"{tmp_path}/")]
    assert [(item.uri.rpartition("/")[2], item.size) for item in listed] == [
        ("a", 1),
        ("loop", None),
        ("pipe", None),
        ("zero", None),
    ]
    good, loop, pipe, zero = storage.get([item.uri for item in listed])
    assert good.data == b"x"
    assert isinstance(loop, TryAgain)
    assert (pipe.code, zero.code) == ("not-a-file", "not-a-file")
    assert pipe.message == f"`{tmp_path}/pipe` is no file but a pipe or a device"


def test_a_file_that_gives_more_than_it_has_is_not_read(storage: Any) -> None:
    """As those of /proc, which say that they are empty and give the process's secrets."""
    (answer,) = storage.get(["/proc/self/environ"])
    assert isinstance(answer, TryAgain)
    assert answer.message == "`/proc/self/environ` changes while it is read"


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path, storage: Any) -> None:
    old, young, foreign = (tmp_path / name for name in (".plait-0a", ".plait-0b", ".other"))
    for file in (old, young, foreign):
        file.write_bytes(b"x")
    for file in (old, foreign):
        os.utime(file, (0, 0))
    storage.put([Put(uri=f"{tmp_path}/a", data=b"x")])
    assert sorted(file.name for file in tmp_path.iterdir()) == [".other", ".plait-0b", "a"]


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
