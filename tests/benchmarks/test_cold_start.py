"""The main job's function beside the one that people write with awswrangler: the first answer, and a warm event."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from kit.function.bare import bare_python
from kit.shop import queue
from plait_sandbox import start_sandbox

from .functions import Start, plait, wrangler
from .shop import clean, orders_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.record import Figures

ROUNDS = int(os.environ.get("PLAIT_ROUNDS", "9"))
WARM = 10
# Of the function by hand: the CPU of a start as it is written and with one session, of its wall time, and of a warm event's CPU.
OF_WRITTEN, OF_ONE_SESSION, OF_WALL, OF_WARM = 0.25, 0.33, 0.42, 0.2


@pytest.fixture(scope="module")
def events() -> Iterator[tuple[list[Any], dict[str, str]]]:
    """One event for each order of a filled sandbox, and the way to it."""
    sample = clean(200)
    with start_sandbox() as sandbox:
        sandbox.fill(sample, announce=False)
        lake = {"LAKE": "s3://shop-lake/cold", "PLAIT_ENV_ALLOW": "LAKE"}
        yield [queue([key]) for key in orders_of(sample)], {**sandbox.environment(), **lake}


def least(starts: list[Start], what: str) -> float:
    """The least of one of the times, in milliseconds."""
    return 1000 * float(min(getattr(start, what) for start in starts))


def test_the_first_answer_takes_a_third_of_the_hand_written_function_s(
    events: tuple[list[Any], dict[str, str]], tmp_path: Path, figures: Figures
) -> None:
    """Interleaved, each start in a process of its own; the least of each is the one that others disturbed least."""
    orders, shop = events
    python = bare_python(tmp_path / "python")
    contenders = ours, shared, written = (plait(tmp_path), *wrangler(tmp_path))
    starts: dict[str, list[Start]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.start(python, orders[:2], shop)
    for number in range(ROUNDS):
        for contender in contenders:
            starts[contender.name].append(contender.start(python, orders[number:][: WARM + 1], shop))
    for name, of_kind in starts.items():
        figures.add("first answer", name, least(of_kind, "wall"), "ms")
    for name, of_kind in starts.items():
        figures.add("warm event", name, least(of_kind, "warm_cpu"), "ms")
    cpu, wall, warm = (
        {name: least(of_kind, what) for name, of_kind in starts.items()}
        for what in ("cpu", "wall", "warm_cpu")
    )
    for label, ratio, limit in (
        (
            "CPU of a cold start, of awswrangler's function with one session",
            cpu[ours.name] / cpu[shared.name],
            OF_ONE_SESSION,
        ),
        (
            "CPU of a cold start, of awswrangler's function as written",
            cpu[ours.name] / cpu[written.name],
            OF_WRITTEN,
        ),
        (
            "time to a first answer, of awswrangler's function with one session",
            wall[ours.name] / wall[shared.name],
            OF_WALL,
        ),
        (
            "CPU of a warm event, of awswrangler's function with one session",
            warm[ours.name] / warm[shared.name],
            OF_WARM,
        ),
    ):
        figures.add("function", label, ratio, at_most=limit)
    for contender in (ours, shared):
        figures.say(f"  {contender.name} loads (ms): {_listed(contender.imports(python, shop))}")
    figures.say(f"  of plait's own (ms): {_listed(ours.imports(python, shop, 'plait'))}")
    assert figures.missed() == []


def _listed(imports: Any) -> str:
    others = sum(imports.values()) - sum(taken for _, taken in imports.most_common(10))
    return ", ".join(f"{name} {taken}" for name, taken in imports.most_common(10)) + f", all else {others}"
