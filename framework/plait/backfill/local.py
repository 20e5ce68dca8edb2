"""The batches of a backfill on this machine, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from plait.backfill.rounds import BatchOutcome, run_again, run_one
from plait.backfill.state import State
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.pipeline.pipeline import Pipeline
from plait.plugin import GiveUp
from plait.problems.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from multiprocessing.context import SpawnContext


class BatchSpec(Struct, frozen=True, kw_only=True):
    """What a process needs to run batches: the spec's file, text and parameters, the state, and calls a second by service."""

    file: str
    text: str
    parameters: Mapping[str, str]
    state: str
    rates: Mapping[str, float]

    def open(self) -> tuple[Engine, State]:
        """An engine and the state, whose calls it does not count."""
        pipeline = Pipeline.load(self.file, self.parameters, self.text.encode("utf-8", "surrogatepass"))
        engine = Engine(pipeline.spec, Services(rates=self.rates))
        engine.nearest = nearest
        return engine, State(self.state, Services().objects)


def run_batches(batches: BatchSpec, numbers: Sequence[int], workers: int) -> Generator[BatchOutcome]:
    """Run batches, in this process or in `workers` others, and yield what becomes of each as it ends.

    When the iterator is closed, workers end at once.
    """
    if workers == 1:
        return run_again(partial(_run_here, batches), numbers)
    return run_again(partial(_run_apart, batches, workers), numbers)


def _run_here(batches: BatchSpec, numbers: Sequence[int]) -> Generator[BatchOutcome]:
    engine, state = batches.open()
    for number in numbers:
        yield run_one(engine, state, number)


def _run_apart(batches: BatchSpec, workers: int, numbers: Sequence[int]) -> Generator[BatchOutcome]:
    """Run batches in processes; one that ends before its batch is replaced, and the batch is to run again."""
    workers = min(workers, len(numbers))
    rates = {service: rate / workers for service, rate in batches.rates.items()}
    divided, context = replace(batches, rates=rates), multiprocessing.get_context("spawn")
    waiting = deque(numbers)
    processes = dict[Connection, SpawnProcess]()
    idle, busy = list[Connection](), dict[Connection, int]()
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                try:
                    connection = idle.pop() if idle else _start_worker(context, divided, processes)
                except OSError as error:
                    message = f"process {len(processes) + 1} of {workers} cannot start: {error.strerror}"
                    raise GiveUp(message, code="no-process", help="take fewer `--workers`") from error
                busy[connection] = waiting.popleft()
                with suppress(OSError):  # of a process that ended, as is found below
                    connection.send(busy[connection])
            ready = wait([*busy])
            for connection in [connection for connection in busy if connection in ready]:
                number = busy.pop(connection)
                try:
                    yield connection.recv()
                    idle.append(connection)
                except (EOFError, OSError):
                    processes.pop(connection).join()
                    yield BatchOutcome(number=number, failure="its process ended", again=True)
    finally:
        for process in processes.values():
            process.kill()


def _start_worker(
    context: SpawnContext, batches: BatchSpec, processes: dict[Connection, SpawnProcess]
) -> Connection:
    """Start a process to which Ctrl-C, from its first moment on, does not come: that is the parent's matter."""
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, batches), daemon=True)
    resource_tracker.ensure_running()  # since starting it would let Ctrl-C in again
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
        processes[here] = process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    there.close()
    return here


def _work(connection: Connection, batches: BatchSpec) -> None:
    """Run the batches whose numbers come, until the parent ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    engine, state = batches.open()
    while True:
        connection.send(run_one(engine, state, connection.recv()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
