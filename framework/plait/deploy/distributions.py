"""Which distributions a spec's function needs, at the versions that are installed here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from plait.plugin import GiveUp
from plait.plugin.registry import offer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.deploy.target import Target
    from plait.language.spec import Spec
    from plait.plugin import Connector

PLAIT = "plait"
# What every function imports of the distributions that plait requires; a test holds the sources to it.
ALWAYS = ("google-re2", "msgspec", "obstore", "pluggy", "pyarrow", "tzdata")
AWS_SDK = ("boto3", "botocore", "s3transfer")
# What a distribution requires and only type checkers import; msgspec imports it for nothing where it is found.
FOR_TYPES = {("obstore", "typing-extensions")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A distribution that goes into the package, by its normal name; `editable` is one that runs from its sources."""

    name: str
    version: str
    editable: bool
    requires: tuple[str, ...]

    @property
    def pin(self) -> str:
        """The requirement of exactly this version."""
        return f"{self.name}=={self.version}"


def connectors(spec: Spec) -> tuple[Connector, ...]:
    """The connectors of a spec, each once, by word."""
    found = {block.connector.name: block.connector for block in spec.blocks}
    return tuple(found[word] for word in sorted(found))


def needed(spec: Spec, target: Target, *, with_boto3: bool = False) -> tuple[Needed, ...]:
    """The distributions that the function imports, by name; raises GiveUp where one is not installed.

    Of plait's own requirements only what a function imports; of another distribution with a connector of the spec
    all that it requires. What the runtime has, boto3, is left out unless `with_boto3`.
    """
    found: dict[str, Needed] = {}
    waiting = [Requirement(text) for text in _roots(spec, with_boto3=with_boto3)]
    left_out = set() if with_boto3 else set(AWS_SDK)
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = frozenset(requirement.extras)
        if name in left_out or (name, extras) in done:
            continue
        done.add((name, extras))
        one = _installed(name, requirement)
        below = [*_requirements(one, target, extras)]
        below = [r for r in below if (name, canonicalize_name(r.name)) not in FOR_TYPES]
        if name == PLAIT:
            below = [r for r in below if r.marker and "extra" in str(r.marker)]
        names = tuple(sorted({canonicalize_name(r.name) for r in below}))
        found[name] = Needed(name=name, version=one.version, editable=is_editable(one), requires=names)
        waiting += below
    return tuple(found[name] for name in sorted(found))


def _roots(spec: Spec, *, with_boto3: bool) -> Iterator[str]:
    yield PLAIT
    yield from ALWAYS
    if with_boto3:
        yield "boto3"
    if any(partition.function == "bucket" for partition in spec.partition_by):
        yield "mmh3"
    for connector in connectors(spec):
        yield offer_of(connector.name).distribution
        yield from connector.distributions


def _installed(name: str, requirement: Requirement) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        message = f"the function needs `{str(requirement)[:80]}`, which is not installed here"
        raise GiveUp(message, code="not-installed", help=f"install `{name}` beside plait") from None


def _requirements(one: Distribution, target: Target, extras: Iterable[str]) -> Iterator[Requirement]:
    for text in one.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if not marker or any(marker.evaluate({**target.markers, "extra": e}) for e in ("", *extras)):
            yield requirement


def is_editable(one: Distribution) -> bool:
    """Whether the distribution is installed as a link to its sources."""
    text = one.read_text("direct_url.json")
    return bool(text and json.loads(text).get("dir_info", {}).get("editable"))
