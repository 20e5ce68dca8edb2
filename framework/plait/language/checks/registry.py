"""The checks by their codes, and how their findings become problems."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plait.language.checks.subject import Subject
from plait.language.finding import Finding, one_a_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plait.language.source_map import SourceMap
    from plait.language.spec import Spec
    from plait.problems.problem import Level, Problem

    Function = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check: the function, its code and level; one `of_roles` runs before the others, which need clear roles."""

    code: str
    level: Level
    function: Function
    of_roles: bool = False


CHECKS: list[Check] = []


def check(code: str, level: Level = "error", *, of_roles: bool = False) -> Callable[[Function], Function]:
    """Register a function as the check of a code."""

    def register(function: Function) -> Function:
        CHECKS.append(Check(code, level, function, of_roles))
        return function

    return register


def run_checks(spec: Spec, source_map: SourceMap) -> list[Problem]:
    """The problems of a complete spec: one a place, an error before a warning."""
    subject = Subject(spec, source_map)
    return one_a_place(_run(subject, of_roles=True) or _run(subject, of_roles=False))


def _run(subject: Subject, *, of_roles: bool) -> list[Problem]:
    return [
        replace(finding, code=check.code, level=finding.level or check.level).problem(subject.source_map)
        for check in CHECKS
        if check.of_roles == of_roles
        for finding in check.function(subject)
    ]
