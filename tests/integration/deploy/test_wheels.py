"""A package for another Python or system: wheels of that system, and byte-code by a Python that runs here."""

from __future__ import annotations

import base64
import hashlib
import shutil
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from plait.deploy.archive import add_byte_code
from plait.deploy.collect import collect
from plait.deploy.distributions import RequiredDistribution
from plait.deploy.target import Target, running_target
from plait.deploy.uv import find_uv
from plait.plugin import GiveUp

ARM = Target("3.12", "arm64")
PINNED = version("msgspec")
MSGSPEC = RequiredDistribution(name="msgspec", version=PINNED, editable=False, requires=())


def write_wheel(folder: Path, tag: str) -> None:
    """Write a wheel of msgspec with nothing but a file that names its tag."""
    info = f"msgspec-{PINNED}.dist-info"
    files = {
        "msgspec/__init__.py": f"TAG = {tag!r}\n".encode(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: msgspec\nVersion: {PINNED}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
    }
    hashes = {
        name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        for name, data in files.items()
    }
    record = "".join(f"{name},sha256={hashes[name]},{len(data)}\n" for name, data in files.items())
    with zipfile.ZipFile(folder / f"msgspec-{PINNED}-{tag}.whl", "w") as archive:
        for name, data in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, data)


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where uv may look."""
    if not (Path(sys.executable).parent / "uv").exists():
        pytest.skip("the project was not set up by make")
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    for name, value in {"UV_FIND_LINKS": str(folder), "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


@pytest.mark.fault("S14")
def test_a_wheel_of_the_target_is_fetched_at_the_version_that_is_installed(
    offered: Path, tmp_path: Path
) -> None:
    """Of several wheels, the one for the function's Python and processor, whatever runs here."""
    for tag in ("cp312-cp312-manylinux_2_17_aarch64", "cp312-cp312-manylinux_2_17_x86_64"):
        write_wheel(offered, tag)
    files = collect([MSGSPEC], ARM, tmp_path / "fetched")
    assert "manylinux_2_17_aarch64" in files["msgspec/__init__.py"].read_text()


def _take_uv_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an empty folder on PATH, and a Python that is alone in its folder."""
    for name in ("path", "venv"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))


def test_without_a_fitting_wheel_the_package_is_refused_in_one_sentence(
    offered: Path, tmp_path: Path
) -> None:
    write_wheel(offered, "cp311-cp311-manylinux_2_17_x86_64")
    with pytest.raises(GiveUp, match=r"no wheels of `msgspec` for Python 3\.12 on arm64 could be fetched"):
        collect([MSGSPEC], ARM, tmp_path / "fetched")


@pytest.mark.parametrize("place", ["on PATH", "beside the Python"])
def test_uv_is_found_on_path_or_beside_the_python_that_runs(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take_uv_away(tmp_path, monkeypatch)
    assert find_uv() is None
    folder = tmp_path / ("path" if place == "on PATH" else "venv")
    (folder / "uv").write_text("#!/bin/sh\n")
    (folder / "uv").chmod(0o755)
    assert find_uv() == str(folder / "uv")


def test_without_uv_and_pip_the_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take_uv_away(tmp_path, monkeypatch)
    monkeypatch.setattr("plait.deploy.collect.find_spec", lambda _name: None)
    with pytest.raises(GiveUp, match="no uv and no pip") as refused:
        collect([MSGSPEC], ARM, tmp_path / "fetched")
    assert "`uv`" in str(refused.value.help)


@pytest.mark.parametrize("script", ["exit 127", "echo 3.11", "cat >/dev/null"])
def test_a_python_that_does_not_run_or_is_another_compiles_nothing(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version managers have shims for versions that are not installed."""
    other = "3.12" if running_target().python != "3.12" else "3.13"
    shim = tmp_path / "bin" / f"python{other}"
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\n{script}\n")
    shim.chmod(0o755)
    _take_uv_away(tmp_path, monkeypatch)
    monkeypatch.setenv("PATH", f"{shim.parent}:/bin:/usr/bin")
    if shutil.which("uv"):
        pytest.skip("uv is among the system's programs and may find a Python")
    (tmp_path / "module.py").write_text("A = 1\n")
    assert add_byte_code(tmp_path, Target(other, "x86_64")) is False
    assert not (tmp_path / "__pycache__").exists()


def test_the_running_python_compiles_for_itself(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("A = 1\n")
    (tmp_path / "broken.py").write_text("print 'of another age'\n")
    assert add_byte_code(tmp_path, running_target()) is True
    tag = sys.implementation.cache_tag
    assert [file.name for file in (tmp_path / "__pycache__").iterdir()] == [f"module.{tag}.pyc"]
