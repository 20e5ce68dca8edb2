"""What is installed and what is packaged is what was locked: exact versions, hashes, one index."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kit.paths import ROOT
from plait.deploy.collect import collect
from plait.deploy.distributions import RequiredDistribution
from plait.deploy.target import Target, running_target
from plait.plugin import GiveUp

pytestmark = pytest.mark.fault("S14")
INDEX, FILES = "https://pypi.org/simple", "https://files.pythonhosted.org/packages/"
PACKAGES: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]


def test_every_file_of_the_lock_has_its_hash_and_comes_from_one_index() -> None:
    """The project itself is the only exception."""
    assert [package["name"] for package in PACKAGES if package["source"] != {"registry": INDEX}] == ["plait"]
    locked = [package for package in PACKAGES if package["name"] != "plait"]
    files = {
        package["name"]: [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        for package in locked
    }
    assert [name for name, listed in files.items() if not listed] == []
    every_file = [file for listed in files.values() for file in listed]
    assert [file["url"] for file in every_file if not file["url"].startswith(FILES)] == []
    assert [
        file["url"]
        for file in every_file
        if not file["hash"].startswith("sha256:") or len(file["hash"]) != 71
    ] == []


def test_the_project_is_set_up_from_the_lock_alone() -> None:
    """The project sets no index, source or file of its own for uv."""
    assert "$(UV) sync --quiet --frozen" in (ROOT / "Makefile").read_text("utf-8")
    uv = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]
    assert uv.keys() == {"default-groups"}


def test_what_a_package_fetches_is_pinned_and_without_dependencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name that a distribution requires is looked up, and nothing is built."""
    recorded = tmp_path / "arguments"
    uv = tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done >{recorded}\nexit 1\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    here = running_target()
    other = Target("3.12" if here.python != "3.12" else "3.13", "arm64")
    required = [
        RequiredDistribution(name=name, version=version, editable=False, requires=())
        for name, version in (("msgspec", "0.20.1"), ("pyarrow", "19.0.0"))
    ]
    with pytest.raises(GiveUp, match="no wheels of"):
        collect(required, other, tmp_path / "fetched")
    arguments = recorded.read_text().splitlines()
    assert {"--no-deps", "--only-binary"} < {*arguments}
    assert arguments[arguments.index("--only-binary") + 1] == ":all:"
    assert arguments[-2:] == ["msgspec==0.20.1", "pyarrow==19.0.0"]


@pytest.mark.parametrize("changed", [False, True])
def test_a_file_that_is_not_what_was_installed_is_not_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, changed: bool
) -> None:
    info = "gadget-1.0.dist-info"
    files = {
        "gadget.py": b"A = 1\n",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: gadget\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    hashes = {name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()) for name, data in files.items()}
    record = "".join(f"{n},sha256={h.rstrip(b'=').decode()},{len(files[n])}\n" for n, h in hashes.items())
    for name, data in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    monkeypatch.syspath_prepend(str(tmp_path))
    required = [RequiredDistribution(name="gadget", version="1.0", editable=False, requires=())]
    if not changed:
        assert {*files} < {*collect(required, running_target(), tmp_path / "fetched")}
        return
    (tmp_path / "gadget.py").write_bytes(b"A = 2\n")
    with pytest.raises(GiveUp, match=r"`gadget\.py` of `gadget` is not what was installed"):
        collect(required, running_target(), tmp_path / "fetched")
