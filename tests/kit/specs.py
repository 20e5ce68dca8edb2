"""Every spec of the repository that is meant to be valid, the files that they read, and specs of a text with holes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kit.paths import ROOT
from plait.language.spec import Spec
from plait.language.validate import validate

PROJECT = ROOT / "framework/plait/cli/project"
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAMPLE = re.compile(r"^`(sample/[^`]+)`\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VERSION = re.compile(r"^plait: 1$", re.MULTILINE)
NAME = re.compile(r"^name: (\S+)$", re.MULTILINE)


def valid(text: str, **holes: object) -> Spec:
    """The valid spec of a text; words of it, in capitals, are replaced in the order given."""
    for word, content in holes.items():
        text = text.replace(word, str(content))
    result = validate(text, "orders.yaml")
    assert result.spec is not None, result.problems
    return result.spec


def edited(text: str, replacements: Mapping[str, str]) -> str:
    """Replace parts of a text, each of which stands in it once."""
    for old, new in replacements.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def documented_specs() -> dict[str, str]:
    """The specs of `pipelines/`, of a new project and of the pages, by a name of their own."""
    folders = (ROOT / "pipelines", PROJECT / "pipelines")
    files = [file for folder in folders for file in sorted(folder.glob("*.yaml"))]
    specs = {file.stem: file.read_text("utf-8") for file in files if not file.name.endswith(".test.yaml")}
    pages = (
        page for name in ("framework", "pipelines", "plugins", "tests") for page in (ROOT / name).glob("*.md")
    )
    for page in (ROOT / "README.md", *sorted(pages)):
        for text in BLOCK.findall(page.read_text("utf-8")):
            if VERSION.search(text):
                specs[_free(NAME.findall(text)[0], specs)] = text
    return specs


def golden_specs() -> dict[str, str]:
    """The specs that hold the language to its meaning."""
    files = sorted((ROOT / "tests/data/golden").glob("*.yaml"))
    return {f"golden-{file.stem}": file.read_text("utf-8") for file in files}


def write_samples(folder: Path) -> None:
    """Write what the local ones among the specs read, each where it looks for it."""
    samples = dict(SAMPLE.findall((ROOT / "pipelines/README.md").read_text("utf-8")))
    for home in (PROJECT, ROOT / "tests/data/golden"):
        files = (file for file in home.glob("sample/**/*") if file.is_file())
        samples |= {str(file.relative_to(home)): file.read_text("utf-8") for file in files}
    for name, text in samples.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _free(name: str, taken: dict[str, str]) -> str:
    return name if name not in taken else _free(f"{name}-again", taken)
