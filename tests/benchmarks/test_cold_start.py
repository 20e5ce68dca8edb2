"""The main job's function beside the one that people write with awswrangler: the first answer, and a warm event."""

from __future__ import annotations

import os
import statistics
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

ROUNDS = int(os.environ.get("PLAIT_ROUNDS", "7"))
WARM = 10
# Of the function by hand: the CPU of a start as it is written and with one session, of its wall time, and of a warm event's CPU.
OF_WRANGLER, OF_ONE_SESSION, OF_WALL, OF_WARM = 0.25, 0.35, 0.45, 0.2


@pytest.fixture(scope="module")
def events() -> Iterator[tuple[list[Any], dict[str, str]]]:
    """One event for each order of a filled sandbox, and the way to it."""
    sample = clean(200)
    with start_sandbox() as sandbox:
        sandbox.fill(sample, announce=False)
        lake = {"LAKE": "s3://shop-lake/cold", "PLAIT_ENV_ALLOW": "LAKE"}
        yield [queue([key]) for key in orders_of(sample)], {**sandbox.environment(), **lake}


def median(starts: list[Start], what: str) -> float:
    """The median of one of the times, in milliseconds."""
    return 1000 * float(statistics.median(getattr(start, what) for start in starts))


def test_the_first_answer_takes_a_third_of_the_hand_written_function_s(
    events: tuple[list[Any], dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interleaved, each start in a process of its own; asserted is CPU, which other processes disturb least."""
    orders, shop = events
    python = bare_python(tmp_path / "python")
    ours, shared, written = (plait(tmp_path), *wrangler(tmp_path))
    starts: dict[str, list[Start]] = {ours.name: [], shared.name: [], written.name: []}
    for contender in (ours, shared, written):
        contender.start(python, orders[:2], shop)
    for number in range(ROUNDS):
        for contender in (ours, shared, written):
            starts[contender.name].append(contender.start(python, orders[number:][: WARM + 1], shop))
    with capsys.disabled():
        _show(starts)
        print(f"  {ours.name} loads (ms): {_told(ours.imports(python, shop))}")
        print(f"  {shared.name} loads (ms): {_told(shared.imports(python, shop))}")
    cpu = {name: median(of_kind, "cpu") for name, of_kind in starts.items()}
    assert cpu[ours.name] <= OF_WRANGLER * cpu[written.name]
    assert cpu[ours.name] <= OF_ONE_SESSION * cpu[shared.name]
    assert median(starts[ours.name], "wall") <= OF_WALL * median(starts[shared.name], "wall")
    assert median(starts[ours.name], "warm_cpu") <= OF_WARM * median(starts[shared.name], "warm_cpu")


def _show(starts: dict[str, list[Start]]) -> None:
    print(f"\nfirst answer and warm event, medians of {ROUNDS} starts, ms (of plait's)")
    whats = ("wall", "cpu", "warm_wall", "warm_cpu")
    least = {what: median(starts["plait"], what) for what in whats}
    for name, of_kind in starts.items():
        medians = (
            f"{what} {median(of_kind, what):6.1f} ({median(of_kind, what) / least[what]:4.1f})"
            for what in whats
        )
        print(f"  {name:26}{'  '.join(medians)}  least cpu {1000 * min(s.cpu for s in of_kind):.0f}")


def _told(imports: Any) -> str:
    others = sum(imports.values()) - sum(taken for _, taken in imports.most_common(10))
    return ", ".join(f"{name} {taken}" for name, taken in imports.most_common(10)) + f", all else {others}"
