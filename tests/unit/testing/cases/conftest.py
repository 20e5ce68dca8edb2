"""A small spec with a source of each kind, and what its cases give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from plait.testing.cases.suite import CaseResult, Suite, load, run

SPEC = (Path(__file__).parent / "orders.yaml").read_text(encoding="utf-8")
Cases = Callable[..., Suite]
Ran = Callable[..., list[CaseResult]]


@pytest.fixture
def cases(tmp_path: Path) -> Cases:
    """Write cases beside the spec and read both."""

    def read(text: str, spec: str = SPEC) -> Suite:
        (tmp_path / "orders.yaml").write_text(spec, encoding="utf-8")
        (tmp_path / "orders.test.yaml").write_bytes(text.encode())
        return load(str(tmp_path / "orders.yaml"))

    return read


@pytest.fixture
def ran(cases: Cases) -> Ran:
    """Run cases that have no problems of their own."""

    def run_text(text: str, spec: str = SPEC) -> list[CaseResult]:
        suite = cases(text, spec)
        assert suite.problems == ()
        return run(suite, suite.file.cases)

    return run_text


def one_case(given: str, expect: str = "[]", more: str = "") -> str:
    """A file of one case."""
    return f"cases:\n  a case:\n    given: {{{given}}}\n    expect: {expect}\n{more}"
