"""Confinement: a test fails if it writes outside the temporary folders of its run, or reads what an earlier run left there.

Tests may read the repository, Python and the system. `TMPDIR` and `HOME` name folders of the run, also for the processes
that tests start; with `pytest -n`, each worker has its own. No audit hook sees what such a process does, or a library of
machine code: so at the end of the run `/`, the user's home and the repository are searched for entries that are new, once,
by the process that speaks to the user.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import pytest

from kit.watch.workers import has_workers, is_worker

ROOT = Path(__file__).resolve().parents[3]
HOME = Path.home()
ENTRIES = pytest.StashKey[set[str]]()
FOLDER = pytest.StashKey[Path]()
NEW = pytest.StashKey[list[str]]()
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# The audit events that change the file system, with the positions of the paths that they change.
CHANGES: dict[str, tuple[int, ...]] = {
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (1,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
    "shutil.rmtree": (0,),
}
LISTINGS = {"os.listdir", "os.scandir"}
WATCHED = {"open", *LISTINGS, *CHANGES}
DEVICES = ("/dev/fd/", "/dev/null", "/dev/ptmx", "/dev/pts/", "/dev/std", "/dev/tty")
SYSTEM = (
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/sys",
    "/usr",
    "/Library",
    "/System",
    "/private/etc",
)
# What tools keep in the repository while tests run, and what commands of plait and make leave there.
OF_TOOLS = tuple(f"{ROOT}/{name}" for name in (".coverage", ".hypothesis", ".pytest_cache"))
LEFT_OVERS = tuple(f"{ROOT}/{name}/" for name in ("dist", "out", ".sandbox"))
# Folders of the repository in which tools may make new entries.
UNSEARCHED = {".git", ".venv", ".tools", "__pycache__", "dist", "node_modules"}

AFTER_OTHERS = -200  # multiprocessing removes what it has in the folder at -100


class Fence:
    """The folders in which tests may write and read; `crossings` are the attempts to leave them."""

    def __init__(self) -> None:
        self.is_closed = False
        self.crossings: list[str] = []
        self._writable: tuple[str, ...] = ()
        self._readable: tuple[str, ...] = ()

    def confine_to(self, *folders: Path) -> None:
        """Let tests write in these folders, and where the run was asked to write."""
        results = os.environ.get("PLAIT_RESULTS")
        if results:  # in a folder that tests may not make
            Path(results).mkdir(parents=True, exist_ok=True)
        requested = [results, os.environ.get("PLAIT_UPDATE") and ROOT]
        self._writable = (*_spellings(*folders, *filter(None, requested)), *OF_TOOLS)
        python = (sys.prefix, sys.base_prefix, *filter(os.path.isabs, sys.path))
        self._readable = _spellings(*SYSTEM, ROOT, *python)

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Refuse every attempt to leave while a test runs."""
        self.is_closed = True
        try:
            yield
        finally:
            self.is_closed = False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge an audit event; raises PermissionError before anything is written or read outside."""
        if not self.is_closed or event not in WATCHED:
            return
        if event == "open":
            path, mode, flags = arguments
            if flags & WRITING:
                self._judge(event, path, writes=True)
            elif mode or os.fspath(path)[:1] in ("/", b"/"):  # `os.open` may be relative to an open folder
                self._judge(event, path, writes=False)
        elif event in LISTINGS:
            self._judge(event, arguments[0], writes=False)
        elif not _is_relative_to_open_folder(event, arguments):
            for position in CHANGES[event]:
                self._judge(event, arguments[position], writes=True)

    def _judge(self, event: str, path: Any, *, writes: bool) -> None:
        if isinstance(path, int):
            return  # the number of an open file, which was judged when it was opened
        absolute = os.path.abspath(os.fsdecode(path or "."))  # noqa: PTH100 - it asks the system nothing
        if self._may_write(absolute, event) if writes else self._may_read(absolute):
            return
        self.crossings.append(f"{event} {absolute}")
        raise PermissionError(errno.EACCES, "outside the temporary folders of the tests", absolute)

    def _may_write(self, path: str, event: str) -> bool:
        if path.startswith(DEVICES) or "/__pycache__" in path:
            return True
        folder, name = os.path.split(path)
        true_path = os.path.realpath(path) if event == "open" else f"{os.path.realpath(folder)}/{name}"
        return f"{true_path}/".startswith(self._writable)

    def _may_read(self, path: str) -> bool:
        for spelling in (path, os.path.realpath(path)):
            folder = f"{spelling}/"
            if folder.startswith(self._writable):
                return True
            if folder.startswith(self._readable):
                return not folder.startswith(LEFT_OVERS)
        return False


def _is_relative_to_open_folder(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a path is relative to the number of an open folder, the last argument of all events but one."""
    return event != "os.truncate" and isinstance(arguments[-1], int) and arguments[-1] >= 0


def _spellings(*folders: Any) -> tuple[str, ...]:
    """The folders with and without symbolic links, each with a slash at its end."""
    paths = [str(folder) for folder in folders]
    return tuple({f"{spell(path)}/" for path in paths for spell in (os.path.abspath, os.path.realpath)})


FENCE = Fence()
sys.addaudithook(FENCE.hear)


def entries() -> set[str]:
    """What stands at the root of the machine and in the user's home, and all that stands in the repository."""
    present = {str(path) for folder in (Path("/"), HOME) for path in folder.iterdir()}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in UNSEARCHED]
        present |= {f"{folder}/{name}" for name in (*folders, *files)}
    return {path for path in present if not path.startswith(OF_TOOLS)}


def pytest_sessionstart(session: pytest.Session) -> None:
    """Give the run its folders; that of `tempfile` has a short path, as a socket in it may have 103 characters."""
    config = session.config
    if is_worker(config):
        folder = Path(config.workerinput["folder"], config.workerinput["workerid"])  # type: ignore[attr-defined]
        folder.mkdir()
    else:
        config.stash[ENTRIES] = entries()
        folder = config.stash[FOLDER] = Path(tempfile.mkdtemp(prefix="run-"))
        Finalize(None, shutil.rmtree, (folder, True), exitpriority=AFTER_OTHERS)
    if has_workers(config):
        return  # they take their environment, and with it the user's home, from this process
    (folder / "home").mkdir()
    patch = pytest.MonkeyPatch()
    patch.setenv("TMPDIR", str(folder))
    patch.setenv("HOME", str(folder / "home"))
    patch.setattr(tempfile, "tempdir", str(folder))
    config.add_cleanup(patch.undo)
    FENCE.confine_to(config._tmp_path_factory.getbasetemp(), folder)  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where its folder goes; this process removes it, as a worker that ends slowly is killed."""
    node.workerinput["folder"] = str(node.config.stash[FOLDER])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Watch a test, and in the same way its call and its teardown."""
    with FENCE.closed():
        return (yield)


pytest_runtest_call = pytest_runtest_teardown = pytest_runtest_setup


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Fail a test that tried to leave, whatever became of the error that it got."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if FENCE.crossings:
        before = f"{report.longrepr}\n" if report.failed else ""
        tried = "\n".join(dict.fromkeys(FENCE.crossings))
        report.outcome, report.longrepr = "failed", f"{before}outside the tests' temporary folders: {tried}"
    FENCE.crossings.clear()
    return report  # type: ignore[return-value]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where something is new that tests may not have made."""
    if is_worker(session.config):
        return
    before = session.config.stash[ENTRIES]
    made = entries() - before
    if os.environ.get("PLAIT_UPDATE") == "1":
        made = {path for path in made if not Path(path).is_relative_to(ROOT)}
    session.config.stash[NEW] = sorted(made)
    if session.config.stash[NEW]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what is new."""
    for path in config.stash.get(NEW, []):
        terminalreporter.write_line(
            f"NEW: {path} appeared during the tests; they, or another program, made it"
        )
