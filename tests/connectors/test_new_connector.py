"""`plait init connector NAME`: a distribution whose test passes at once, and whose author sees where it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kit.console import Call
from kit.outside import cli, install, python

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """
plait: 1
name: try
sources:
  orders: {connector: memory, rows: [{id: a}], columns: {id: string}}
  stock: {connector: shop_stock, rows: [], columns: {left: int}, join: {on: id}}
sink: {connector: parquet, path: out/}
"""
CALL = "yield Record(fields=row)"


@pytest.fixture
def project(tmp_path: Path, plait: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ended = plait("init", "connector", "shop_stock")
    assert ended.exit_code == 0, ended.output
    return tmp_path / "plait-shop_stock"


def test_its_test_passes_as_soon_as_it_is_installed(project: Path, tmp_path: Path) -> None:
    install(project, tmp_path)
    done = python(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(project))
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
    shown = cli(tmp_path, "connectors", "shop_stock").stdout
    assert shown.startswith("shop_stock: Rows of a service, asked for by keys.\ncan look up\n")


@pytest.mark.parametrize("place", ["        for row in self", "@hookimpl"])
def test_debug_shows_its_author_where_it_fails(project: Path, tmp_path: Path, place: str) -> None:
    """In a call or as it is loaded; without the option one line says so, without the text of the error."""
    module = project / "plait_shop_stock.py"
    indent = place[: len(place) - len(place.lstrip())]
    module.write_text(module.read_text().replace(place, f"{indent}raise KeyError('why')\n{place}"))
    install(project, tmp_path)
    (tmp_path / "try.yaml").write_text(SPEC)
    plain, debugged = cli(tmp_path, "preview", "try.yaml"), cli(tmp_path, "--debug", "preview", "try.yaml")
    assert (plain.returncode, debugged.returncode) == (1, 1)
    assert "error[broken-connector]" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "raise KeyError('why')\nKeyError: 'why'" in " ".join(debugged.stderr.split(" ")).replace(
        "    ", ""
    )
