"""The notebooks run whole, and show to whoever reads them on a forge what they show where they run."""

from __future__ import annotations

import os
import re
from typing import Any

import nbformat as _nbformat
import pytest
from nbclient import NotebookClient

from kit.paths import ROOT
from kit.watch.canaries import look

nbformat: Any = _nbformat  # it has no types
NOTEBOOKS = sorted((ROOT / "pipelines").glob("*.ipynb"))
OF_A_MACHINE = re.compile(r"/tmp/|/home/|/roo[t]/|/Users/|127\.0\.0\.1|localhost|site-packages|\.py:\d+")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
SECONDS = 300  # of one cell, on a machine that has much else to do


def run(path: Any) -> Any:
    """The notebook, run anew in a kernel of its own; raises where a cell does."""
    from matplotlib import font_manager  # its cache of fonts, which the kernel would speak of

    assert font_manager.fontManager.ttflist
    notebook = nbformat.read(path, as_version=4)
    metadata = dict(notebook.metadata)
    client = NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(path.parent)}})
    client.execute(env={name: text for name, text in os.environ.items() if "COLOR" not in name})
    notebook.metadata = nbformat.from_dict(metadata)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
    return notebook


def shown(notebook: Any) -> list[list[Any]]:
    """What each cell shows: the text of its outputs, without the bytes of pictures, and without numbers where it varies."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[_text(output, cell) for output in cell.outputs] for cell in cells]


def _text(output: Any, cell: Any) -> Any:
    if output.output_type == "stream":
        return output.name, output.text
    texts = {kind: "" if kind.startswith("image/") else text for kind, text in output.data.items()}
    if "varies" in cell.metadata.get("tags", ()):
        texts = {kind: re.sub(r"\s+", " ", NUMBER.sub("#", text)) for kind, text in texts.items()}
    return output.output_type, texts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_whole_and_gives_what_the_forge_shows(path: Any) -> None:
    """`PLAIT_UPDATE=1` writes what it gives."""
    notebook = run(path)
    outputs = shown(notebook)
    look(f"the outputs of {path.name}", str(outputs))
    assert OF_A_MACHINE.findall(str(outputs)) == []
    assert [output for cell in outputs for output in cell if output[0] == "stderr"] == []
    if os.environ.get("PLAIT_UPDATE") == "1":
        nbformat.write(notebook, path)
    assert outputs == shown(nbformat.read(path, as_version=4)), (
        "run `make notebooks`, and look at the difference"
    )
