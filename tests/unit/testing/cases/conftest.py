"""A small spec with a source of each kind, and what its cases give."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.paths import DATA
from plait.testing.cases.case import Suite
from plait.testing.cases.suite import load

SPEC = (DATA / "cases" / "orders.yaml").read_text(encoding="utf-8")
ORDER = "orders: {json: {id: a}}"
Cases = Callable[..., Suite]


@pytest.fixture
def cases(tmp_path: Path) -> Cases:
    """Write cases beside the spec and read both."""

    def read(text: str, spec: str = SPEC) -> Suite:
        (tmp_path / "orders.yaml").write_text(spec, encoding="utf-8")
        (tmp_path / "orders.test.yaml").write_bytes(text.encode())
        return load(str(tmp_path / "orders.yaml"))

    return read


def one_case(given: str = ORDER, expect: str = "[]", more: str = "") -> str:
    """A file of one case."""
    case = f"given: {{{given}}}\nexpect: {expect}\n{more}\n"
    return f"cases:\n  a case:\n{textwrap.indent(case, '    ')}"
