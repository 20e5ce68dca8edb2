"""What is packaged is what was installed, or what was fetched for the target: exact versions, and files with their hashes."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from plait.deploy.requirements import Arch, Target, collect, find_uv, running_target
from plait.plugin import GiveUp

ARM = Target("3.12", "arm64")
MSGSPEC = {"msgspec": distribution("msgspec")}
PINNED = MSGSPEC["msgspec"].version


def wheel(name: str, version: str, tag: str) -> dict[str, str]:
    """The files of a wheel: a module that names the tag, the metadata, and a record of their hashes."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"TAG = {tag!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: false\nTag: {tag}\n",
    }
    digests = {path: hashlib.sha256(text.encode()).digest() for path, text in files.items()}
    hashes = {path: base64.urlsafe_b64encode(digest).decode().rstrip("=") for path, digest in digests.items()}
    record = "".join(f"{path},sha256={hashes[path]},{len(text)}\n" for path, text in files.items())
    return {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}


def offer(folder: Path, tag: str) -> None:
    """Write a wheel of msgspec."""
    with zipfile.ZipFile(folder / f"msgspec-{PINNED}-{tag}.whl", "w") as archive:
        for path, text in wheel("msgspec", PINNED, tag).items():
            archive.writestr(path, text)


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where uv may look."""
    assert (Path(sys.executable).parent / "uv").exists(), "make setup leaves uv beside the Python"
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
        offer(offered, tag)
    files = collect(MSGSPEC, ARM, tmp_path / "fetched")
    assert "manylinux_2_17_aarch64" in files["msgspec.py"].read_text()


@pytest.mark.parametrize(
    ("python", "arch", "tag", "fits"),
    [
        ("3.12", "x86_64", "cp312-cp312-manylinux_2_28_x86_64", True),
        ("3.12", "x86_64", "cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("3.12", "arm64", "cp312-cp312-manylinux_2_28_aarch64", True),
        ("3.11", "x86_64", "cp311-cp311-manylinux_2_17_x86_64", True),
        ("3.12", "x86_64", "py3-none-any", True),
        ("3.12", "arm64", "cp312-cp312-manylinux_2_28_x86_64", False),
        ("3.12", "x86_64", "cp311-cp311-manylinux_2_28_x86_64", False),
        ("3.12", "x86_64", "cp312-cp312-musllinux_1_2_x86_64", False),
        ("3.12", "x86_64", "cp312-cp312-manylinux_2_39_x86_64", False),
        ("3.11", "x86_64", "cp311-cp311-manylinux_2_28_x86_64", False),
    ],
)
def test_a_wheel_fits_the_python_processor_and_c_library_of_the_runtime(
    offered: Path, tmp_path: Path, python: str, arch: Arch, tag: str, fits: bool
) -> None:
    """Amazon Linux 2, below Python 3.11, has an older C library than Amazon Linux 2023."""
    offer(offered, tag)
    if fits:
        assert tag in collect(MSGSPEC, Target(python, arch), tmp_path / "fetched")["msgspec.py"].read_text()
    else:
        with pytest.raises(GiveUp, match="no wheels of `msgspec`"):
            collect(MSGSPEC, Target(python, arch), tmp_path / "fetched")


def test_a_wheel_for_the_python_of_spark_may_need_the_c_library_of_amazon_linux_2023(
    offered: Path, tmp_path: Path
) -> None:
    """EMR 7 and Glue 5 run Python 3.11 on it, where Lambda has Amazon Linux 2."""
    offer(offered, "cp311-cp311-manylinux_2_28_x86_64")
    spark = Target("3.11", "x86_64", spark=True)
    assert "msgspec.py" in collect(MSGSPEC, spark, tmp_path / "fetched")


def test_what_is_pure_python_or_made_for_this_machine_is_taken_as_it_is_installed(tmp_path: Path) -> None:
    """Nothing is fetched for it, so no index need be at hand."""
    pure = {name: distribution(name) for name in ("pluggy", "tzdata")}
    files = collect(pure, ARM, tmp_path / "fetched") | collect(
        MSGSPEC, running_target(), tmp_path / "fetched"
    )
    assert {"pluggy/__init__.py", "tzdata/__init__.py", "msgspec/__init__.py"} <= files.keys()
    assert not (tmp_path / "fetched").exists()


def test_without_a_fitting_wheel_the_package_is_refused_in_one_sentence(
    offered: Path, tmp_path: Path
) -> None:
    offer(offered, "cp311-cp311-manylinux_2_17_x86_64")
    with pytest.raises(GiveUp, match=r"no wheels of `msgspec` for Python 3\.12 on arm64 could be") as refused:
        collect(MSGSPEC, ARM, tmp_path / "fetched")
    assert "`--here`" in str(refused.value.help)


@pytest.mark.fault("S14")
def test_what_a_package_fetches_is_pinned_and_without_dependencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name that a distribution requires is looked up, and nothing is built."""
    recorded, uv = tmp_path / "arguments", tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done >{recorded}\nexit 1\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    other = Target("3.12" if running_target().python != "3.12" else "3.13", "arm64")
    required = {**MSGSPEC, "pyarrow": distribution("pyarrow")}
    with pytest.raises(GiveUp, match="no wheels of"):
        collect(required, other, tmp_path / "fetched")
    arguments = recorded.read_text().splitlines()
    assert {"--no-deps", "--only-binary"} < {*arguments}
    assert arguments[arguments.index("--only-binary") + 1] == ":all:"
    assert arguments[-2:] == [f"{name}=={installed.version}" for name, installed in required.items()]


@pytest.mark.fault("S14")
def test_a_file_that_is_not_what_was_installed_is_not_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = wheel("gadget", "1.0", "py3-none-any")
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    required = {"gadget": distribution("gadget")}
    assert {*collect(required, running_target(), tmp_path / "fetched")} == {*files}
    (tmp_path / "gadget.py").write_text("TAG = 'py3-none-none'\n")
    with pytest.raises(GiveUp, match=r"`gadget\.py` of `gadget` is not what was installed"):
        collect(required, running_target(), tmp_path / "fetched")


@pytest.fixture
def without_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder on PATH, and a Python that is alone in its folder."""
    for name in ("path", "venv"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))


@pytest.mark.usefixtures("without_uv")
@pytest.mark.parametrize("folder", ["path", "venv"])
def test_uv_is_found_on_path_or_beside_the_python_that_runs(folder: str, tmp_path: Path) -> None:
    assert find_uv() is None
    uv = tmp_path / folder / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    assert find_uv() == str(uv)


@pytest.mark.usefixtures("without_uv")
def test_without_uv_and_pip_the_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plait.deploy.requirements.find_spec", lambda _name: None)
    with pytest.raises(GiveUp, match="no uv and no pip") as refused:
        collect(MSGSPEC, ARM, tmp_path / "fetched")
    assert "`uv`" in str(refused.value.help)
