"""Questions that drive a pipeline, and the answers to them: a fully typed connector of another distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from plait.plugin import (
    Connector,
    Driver,
    GiveUp,
    Item,
    Key,
    Lookup,
    Missing,
    Options,
    ReadFailure,
    Record,
    Window,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class AnswersOptions(Options, frozen=True, kw_only=True):
    """Options of `answers`."""

    answers: Annotated[dict[str, int], Meta(description="the answer to each question")]


class Questions(Driver[AnswersOptions]):
    """Drives a pipeline by the questions, each of which is an object."""

    dated = False

    def accepts(self, uri: str) -> bool:
        """Return whether the options have the question."""
        return uri in self.options.answers

    def list(self, window: Window) -> Iterator[Item]:
        """Yield all questions; they have no time."""
        return (Item(uri=question) for question in self.options.answers)

    def read(self, items: Sequence[Item]) -> Iterator[Record | ReadFailure]:
        """Yield one record for each question."""
        for item in items:
            if self.accepts(item.uri):
                yield Record(fields={"question": item.uri}, item=item)
            else:
                yield ReadFailure(item, Missing(item.uri))


class Oracle(Lookup[AnswersOptions]):
    """Answers the questions of the rows."""

    repeats_key = True

    def known_fields(self) -> tuple[str, ...]:
        """Return what a record has beside its question."""
        return ("answer",)

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record]:
        """Yield one record for each question that has an answer."""
        for key in keys:
            if "question" not in key.fields:
                raise GiveUp("only a question has an answer", help="join on `question`")
            answer = self.options.answers.get(key.fields["question"])
            if answer is not None:
                yield Record(fields={**key.fields, "answer": answer})


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `answers`."""
    summary = "Questions, and the answers to them."
    return [Connector("answers", summary, AnswersOptions, driver=Questions, lookup=Oracle)]
