"""The batches of a backfill on Step Functions: a Distributed Map invokes the function with each."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plait.aws_lambda.marker import fingerprint
from plait.backfill.rounds import BatchOutcome, run_again
from plait.plugin import GiveUp, calling
from plait.problems.problem import printable
from plait.storage.s3 import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from plait.backfill.state import Marker, State
    from plait.engine.context import Services

MOST_BYTES = 1 << 30  # of the list of batches, which is made in memory
POLL_SECONDS = 5.0
LIST = "map.json"
WHAT = "the state machine of the history"
HELPS = {"wrong-request": "give the ARN of the state machine of the pipeline's stack, of the region here"}
MOST_CAUSE = 200  # characters of why an execution ended


def run_on_step_functions(
    state: State, services: Services, machine: str, at_once: int
) -> Generator[BatchOutcome]:
    """Run the batches that are not done, so many at once, and yield what becomes of each, as their markers come.

    `machine` is the ARN of the state machine in the pipeline's stack. An execution over the same plan that still runs is
    joined. Raises GiveUp if it does not succeed. Where this ends before, the execution goes on.
    """

    def run(numbers: Sequence[int]) -> Generator[BatchOutcome]:
        client = services.client("stepfunctions")
        before = dict(state.markers(numbers))
        with calling(WHAT, service="states", helps=HELPS):
            execution, is_joined = _start(client, state, numbers, machine, at_once)
        if is_joined:  # it may have put them
            before = {}
        waiting = set(numbers)
        status = {"status": "RUNNING"}
        while status["status"] == "RUNNING":
            time.sleep(POLL_SECONDS)  # first, since a new execution is not described at once
            with calling(WHAT, service="states", helps=HELPS):
                status = client.describe_execution(executionArn=execution)
            ended = waiting & state.done_numbers()
            waiting -= ended
            if status["status"] == "SUCCEEDED":
                ended |= waiting
            markers = dict(state.markers(ended))
            yield from (_outcome(number, markers.get(number), before) for number in sorted(ended))
        if status["status"] != "SUCCEEDED":
            reason = ": ".join(status[name] for name in ("error", "cause") if status.get(name)) or "stopped"
            message = (
                f"the execution `{execution}` ended as {status['status']}: {printable(reason)[:MOST_CAUSE]}"
            )
            help = "look at it in the console of Step Functions, then run the same command again"
            raise GiveUp(message, code="execution-failed", help=help)

    return run_again(run, state.open_numbers())


def _start(client: Any, state: State, numbers: Sequence[int], machine: str, at_once: int) -> tuple[str, bool]:
    """Start an execution over batches, or find the one over the same plan that runs; return its ARN, and whether it ran."""
    id = _id(state)
    executions = machine.replace(":stateMachine:", ":execution:", 1)
    for turn in range(1, 10_000):
        arn = f"{executions}:{id}-{turn}"
        try:
            if client.describe_execution(executionArn=arn)["status"] == "RUNNING":
                return arn, True
        except client.exceptions.ExecutionDoesNotExist:
            bucket, key = _put_list(state, numbers)
            given = {"bucket": bucket, "key": key, "at_once": at_once}
            with suppress(client.exceptions.ExecutionAlreadyExists):  # another command started it meanwhile
                client.start_execution(stateMachineArn=machine, name=f"{id}-{turn}", input=json.dumps(given))
                return arn, False
            return arn, True
    raise GiveUp(
        "this backfill ran ten thousand times", code="execution-failed", help="name another `--state`"
    )


def event_of(state: State, number: int) -> dict[str, Any]:
    """The event by which the function runs a batch and puts its marker."""
    objects, plan = [item.uri for item in state.items(number)], state.plan()
    event = {"objects": objects, "backfill": _id(state), "batch": number}
    return {**event, "of": fingerprint(plan.spec_digest, plan.parameters, event)}


def _id(state: State) -> str:
    return state.uri.rpartition("/")[2]


def _put_list(state: State, numbers: Sequence[int]) -> tuple[str, str]:
    """Put the list of batches as the events of the function; return its bucket and key."""
    lines, size = list[str](), 0
    for number in numbers:
        lines.append(json.dumps(event_of(state, number), ensure_ascii=False))
        size += len(lines[-1])
        if size > MOST_BYTES:
            message, help = "one execution takes no list of more than 1 GiB", "take a shorter window"
            raise GiveUp(message, code="list-too-long", help=help)
    state.put(LIST, ("[" + ",\n".join(lines) + "]").encode("utf-8", "backslashreplace"))
    return bucket_and_key(f"{state.uri}/{LIST}")


def _outcome(number: int, marker: Marker | None, before: Mapping[int, Marker]) -> BatchOutcome:
    """What became of a batch; a marker that was there before says nothing of this run."""
    if marker is None or marker == before.get(number):
        return BatchOutcome(number=number, failure="the function put no marker: see its log")
    objects, quarantined = marker.objects, marker.records.quarantined
    return BatchOutcome(number=number, objects=objects, quarantined=quarantined, again=objects["retry"] > 0)
