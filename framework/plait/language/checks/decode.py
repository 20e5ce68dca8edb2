"""Decode steps follow from each other, and a column takes what they give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.checks.registry import check
from plait.language.checks.subject import path_of
from plait.language.finding import Finding
from plait.problems.problem import excerpt
from plait.problems.suggest import nearest
from plait.values.decode import ANY, PLAIN, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject


@check("step-order")
def step_order(subject: Subject) -> Iterator[Finding]:
    """A step cannot take what the one before it gives, or what the source gives."""
    for source in subject.sources:
        for field, steps in source.decode.items():
            value, before = (ANY if source.role.gives_binary else PLAIN), None
            for position, step in enumerate(steps):
                kind = STEPS[step.word]
                if value not in kind.accepts:
                    giver = (
                        f"`{before}` gives {value}"
                        if before
                        else f"`{source.connector.name}` gives no binary"
                    )
                    message = f"`{step.word}` takes {kind.takes}, and {giver}"
                    remove = f"remove `{step.word}`, or what stands before it"
                    help = "put `base64` before it" if step.word == "gzip" else remove
                    yield Finding((*path_of(source), "decode", field, position), message, help)
                    break
                value, before = kind.gives, step.word


@check("unused-decode")
def unused_decode(subject: Subject) -> Iterator[Finding]:
    """No column takes the field, so decoding it is for nothing; mostly a slip of the pen."""
    for source in subject.sources:
        taken = {str(column.selector[0]): None for column in source.columns or ()}
        taken |= {field: None for _, field in source.join.on} if source.join else {}
        for field in source.decode if source.columns else ():
            if field not in taken:
                meant = nearest(field, taken)
                help = f"did you mean `{meant}`?" if meant else "remove it, or take it by a column's `from`"
                message = f"no column takes {excerpt(field)}, so decoding it is for nothing"
                yield Finding((*path_of(source), "decode", field), message, help, at="key")
