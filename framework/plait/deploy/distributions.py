"""List the distributions that a spec's function needs, at the versions that are installed here."""

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
# What every function imports of the distributions that plait requires; a test compares it with the sources.
ALWAYS_NEEDED = ("google-re2", "msgspec", "obstore", "pluggy", "pyarrow", "tzdata")
AWS_SDK = ("boto3", "botocore", "s3transfer")
# Pairs of a distribution and a requirement that only type checkers use; msgspec would import it if it were there.
ONLY_FOR_TYPE_CHECKERS = {("obstore", "typing-extensions")}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredDistribution:
    """A distribution that goes into the package.

    `name` and `requires` are names in the normal form of PEP 503; `editable` says that it runs from its sources.
    """

    name: str
    version: str
    editable: bool
    requires: tuple[str, ...]

    @property
    def pin(self) -> str:
        """The requirement of exactly this version, as `name==version`."""
        return f"{self.name}=={self.version}"


def connectors_of(spec: Spec) -> tuple[Connector, ...]:
    """The connectors of a spec, each once, sorted by word."""
    by_word = {block.connector.name: block.connector for block in spec.blocks}
    return tuple(by_word[word] for word in sorted(by_word))


def required_distributions(
    spec: Spec, target: Target, *, with_boto3: bool = False
) -> tuple[RequiredDistribution, ...]:
    """The distributions that the function imports, sorted by name; raises GiveUp if one is not installed.

    Of plait's own requirements, only those that a function imports; of another distribution with a connector of the
    spec, all that it requires. boto3, which Lambda's runtime has, is left out unless `with_boto3`.
    """
    required: dict[str, RequiredDistribution] = {}
    waiting = [Requirement(text) for text in _direct_requirements(spec, with_boto3=with_boto3)]
    left_out = set() if with_boto3 else set(AWS_SDK)
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = frozenset(requirement.extras)
        if name in left_out or (name, extras) in done:
            continue
        done.add((name, extras))
        installed = _installed(name, requirement)
        requirements = [*_requirements(installed, target, extras)]
        requirements = [
            r for r in requirements if (name, canonicalize_name(r.name)) not in ONLY_FOR_TYPE_CHECKERS
        ]
        if name == PLAIT:
            requirements = [r for r in requirements if r.marker and "extra" in str(r.marker)]
        names = tuple(sorted({canonicalize_name(r.name) for r in requirements}))
        required[name] = RequiredDistribution(
            name=name, version=installed.version, editable=is_editable(installed), requires=names
        )
        waiting += requirements
    return tuple(required[name] for name in sorted(required))


def _direct_requirements(spec: Spec, *, with_boto3: bool) -> Iterator[str]:
    """The requirements of the function itself: plait, what it imports, and the spec's connectors."""
    yield PLAIT
    yield from ALWAYS_NEEDED
    if with_boto3:
        yield "boto3"
    if any(partition.function == "bucket" for partition in spec.partition_by):
        yield "mmh3"
    for connector in connectors_of(spec):
        yield offer_of(connector.name).distribution
    for block in spec.blocks:
        yield from block.role.distributions


def _installed(name: str, requirement: Requirement) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        message = f"the function needs `{str(requirement)[:80]}`, which is not installed here"
        raise GiveUp(message, code="not-installed", help=f"install `{name}` beside plait") from None


def _requirements(installed: Distribution, target: Target, extras: Iterable[str]) -> Iterator[Requirement]:
    """What a distribution requires on the target, with these of its extras."""
    for text in installed.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if not marker or any(marker.evaluate({**target.markers, "extra": extra}) for extra in ("", *extras)):
            yield requirement


def is_editable(installed: Distribution) -> bool:
    """Whether the distribution is installed as a link to its sources."""
    text = installed.read_text("direct_url.json")
    return bool(text and json.loads(text).get("dir_info", {}).get("editable"))
