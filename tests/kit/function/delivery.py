"""How AWS calls a function again: from a queue with dead letters, and for asynchronous events."""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit.function.runtime import Outcome

Invoke = Callable[[Any], Outcome]
ATTEMPTS = 3


@dataclass(slots=True)
class Message:
    """A message of the queue; `receives` counts how often it was handed out."""

    id: str
    body: str
    receives: int = 0


@dataclass(slots=True)
class Queue:
    """An SQS queue with its event source mapping, in a time of its own (seconds), which `drain` moves on.

    A message handed out is unseen for `visibility` seconds. It is deleted when the function succeeds without naming it
    in `batchItemFailures`; handed out `max_receives` times it goes to `dead` instead of being handed out again.
    """

    visibility: float = 360.0
    max_receives: int = 5
    batch: int = 10
    now: float = 0.0
    dead: list[Message] = field(default_factory=list)
    _waiting: list[tuple[float, int, Message]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)

    def send(self, *bodies: str, delay: float = 0.0) -> list[Message]:
        """Put messages on the queue, visible after a delay."""
        sent = [Message(f"m-{next(self._order)}", body) for body in bodies]
        for message in sent:
            heapq.heappush(self._waiting, (self.now + delay, next(self._order), message))
        return sent

    def drain(self, invoke: Invoke, *, until: float = float("inf")) -> list[Outcome]:
        """Hand out batches until nothing is left, or until this time; what each invocation ended with."""
        outcomes = []
        while self._waiting and self._waiting[0][0] <= until:
            self.now = max(self.now, self._waiting[0][0])
            taken = self._receive()
            if not taken:
                continue
            outcomes.append(invoke(self._event(taken)))
            failed = self._failed(taken, outcomes[-1])
            for message in taken:
                if message.id in failed:
                    again = self.now + self.visibility
                    heapq.heappush(self._waiting, (again, next(self._order), message))
        return outcomes

    def _receive(self) -> list[Message]:
        taken: list[Message] = []
        while self._waiting and len(taken) < self.batch and self._waiting[0][0] <= self.now:
            message = heapq.heappop(self._waiting)[2]
            if message.receives == self.max_receives:
                self.dead.append(message)
                continue
            message.receives += 1
            taken.append(message)
        return taken

    @staticmethod
    def _event(messages: Sequence[Message]) -> dict[str, Any]:
        return {
            "Records": [
                {
                    "messageId": message.id,
                    "receiptHandle": f"handle-{message.id}-{message.receives}",
                    "body": message.body,
                    "attributes": {"ApproximateReceiveCount": str(message.receives)},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:transactions",
                    "awsRegion": "eu-west-1",
                }
                for message in messages
            ]
        }

    @staticmethod
    def _failed(taken: Sequence[Message], outcome: Outcome) -> set[str]:
        """The messages that come again: all where the function failed or its answer names one that is unknown."""
        everything = {message.id for message in taken}
        if outcome.kind != "answered":
            return everything
        named = {
            failure.get("itemIdentifier") for failure in (outcome.answer or {}).get("batchItemFailures", ())
        }
        return everything if named - everything else named


def deliver(invoke: Invoke, event: Any) -> list[Outcome]:
    """Call a function as AWS does for an asynchronous event: again, twice at most, while it fails."""
    outcomes = []
    for _ in range(ATTEMPTS):
        outcomes.append(invoke(event))
        if outcomes[-1].kind == "answered":
            break
    return outcomes
