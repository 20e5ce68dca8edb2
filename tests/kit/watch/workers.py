"""What a run says at its end: with `pytest -n`, each worker gives its lines to the process that started it."""

import functools
from collections.abc import Callable

import pytest

LINES = pytest.StashKey[dict[str, list[str]]]()
FIGURES = "figures"


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs a part of the tests for another one, which speaks to the user."""
    return hasattr(config, "workerinput")


def has_workers(config: pytest.Config) -> bool:
    """Whether this process runs no test itself, as its workers do."""
    return bool(config.getoption("dist", "no") != "no")


def tell(config: pytest.Config, topic: str, *lines: str) -> None:
    """Keep lines for the end of the run."""
    config.stash.setdefault(LINES, {}).setdefault(topic, []).extend(lines)


def lines_about(config: pytest.Config, topic: str) -> list[str]:
    """The lines of this process and, once they have ended, those of its workers."""
    return config.stash.get(LINES, {}).get(topic, [])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give what a worker has to say to the process that started it."""
    if is_worker(session.config):
        session.config.workeroutput["lines"] = session.config.stash.get(LINES, {})  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a worker has to say; one that crashed says nothing, and its test has failed."""
    output = getattr(node, "workeroutput", None) or {}
    for topic, lines in output.get("lines", {}).items():
        tell(node.config, topic, *lines)  # type: ignore[attr-defined]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Give a line with what was measured to the end of the run."""
    return functools.partial(tell, request.config, FIGURES)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was measured."""
    for line in lines_about(config, FIGURES):
        terminalreporter.write_line(line)
