"""The steps of each decoded place fit each other and what the place holds, and a column takes what they give."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from plait.language.checks.references import fields_of_joins
from plait.language.checks.registry import check
from plait.language.checks.subject import path_of
from plait.language.finding import Finding
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import nearest
from plait.values.decode import ANY, PLAIN, SCALARS, STEPS
from plait.values.places import Place, overlap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.spec import Source
    from plait.values.decode import Decoding

    Steps = tuple[str | int, ...]


def decoding_of(source: Source, place: Steps, *, around: bool = False) -> Decoding | None:
    """How a place is decoded, or else the nearest one that it lies within, which alone is meant by `around`."""
    longest = len(place) - around
    return next(
        (
            d
            for d in reversed(source.decode)
            if len(d.place.steps) <= longest and overlap(d.place.steps, place)
        ),
        None,
    )


@check("step-order")
def step_order(subject: Subject) -> Iterator[Finding]:
    """A step cannot take what the one before it gives, or what the source gives; within binary and text is nothing."""
    for source in subject.sources:
        first_texts: dict[Steps, str] = {}
        for decoding in source.decode:
            path = (*path_of(source), "decode", decoding.place.text)
            first = first_texts.setdefault(decoding.place.steps, decoding.place.text)
            outer = decoding_of(source, decoding.place.steps, around=True)
            if first != decoding.place.text:
                message = f"{excerpt(decoding.place.text)} is the place {excerpt(first)}, which has its steps already"
                yield Finding(path, message, f"write all steps below {excerpt(first)}", at="key")
            elif outer and outer.steps[-1].gives in SCALARS:
                word = outer.steps[-1].word
                message = f"`{word}` of {excerpt(outer.place.text)} gives {outer.steps[-1].gives}, and nothing stands within that"
                help = (
                    "remove it" if word == "epoch" else f"add the step `json` to {excerpt(outer.place.text)}"
                )
                yield Finding(path, message, help, at="key")
            else:
                yield from _misfit(source, decoding, outer)


def _misfit(source: Source, decoding: Decoding, outer: Decoding | None) -> Iterator[Finding]:
    """The first step of a place that cannot take what it is given."""
    value = ANY if source.role.gives_binary and not outer else PLAIN
    giver = f"`{outer.steps[-1].word if outer else source.connector.name}` gives no binary"
    for position, step in enumerate(decoding.steps):
        kind = STEPS[step.word]
        if value not in kind.accepts:
            remove = f"remove `{step.word}`, or what stands before it"
            help = "put `base64` before it" if kind.takes == "binary" else remove
            path = (*path_of(source), "decode", decoding.place.text, position)
            yield Finding(path, f"`{step.word}` takes {kind.takes}, and {giver}", help)
            return
        value, giver = step.gives, f"`{step.word}` gives {step.gives}"


@check("unused-decode")
def unused_decode(subject: Subject) -> Iterator[Finding]:
    """No column takes the place, so decoding it is for nothing; mostly a slip of the pen."""
    for source in subject.sources:
        taken: list[Steps] = [column.selector for column in source.columns or ()]
        taken += [place for _, field in source.join.on for place in _places_of(field)] if source.join else []
        names = [*(str(place[0]) for place in taken), *(column.origin for column in source.columns or ())]
        for decoding in source.decode if source.columns else ():
            if not any(overlap(decoding.place.steps, place) for place in taken):
                meant = nearest(decoding.place.text, names)
                help = f"did you mean `{meant}`?" if meant else "remove it, or take it by a column's `from`"
                message = f"no column takes {excerpt(decoding.place.text)}, so decoding it is for nothing"
                yield Finding((*path_of(source), "decode", decoding.place.text), message, help, at="key")


@check("decoded-key")
def decoded_key(subject: Subject) -> Iterator[Finding]:
    """A field that a join asks by is compared as the source has it, so it cannot be decoded."""
    for source, _, field, _ in fields_of_joins(subject):
        for decoding in source.decode:
            if any(overlap(decoding.place.steps, place) for place in _places_of(field)):
                message = f"{excerpt(field)} is asked for as it stands in the source, so it cannot be decoded"
                path = (*path_of(source), "decode", decoding.place.text)
                yield Finding(path, message, "join on another field", at="key")


def _places_of(field: str) -> Iterator[Steps]:
    """What a field of a join names: the field of this name, or the place that it is."""
    yield (field,)
    with suppress(SpecValueError):
        yield Place.parse(field).steps
