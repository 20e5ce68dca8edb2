"""What a role of another distribution does wrong is told by its name, and what the mistake was."""

from __future__ import annotations

from typing import Any

import pytest

from kit.fakes import NoOptions
from plait.plugin import Connector, GiveUp, Lookup, Sink


class Forgetful(Lookup[NoOptions], Sink[NoOptions]):
    """Returns nothing, and asks for its context while there is none."""

    def fetch(self, _keys: Any) -> Any:
        pass

    def write(self, _files: Any) -> Any:
        pass

    def permissions(self) -> Any:
        return [self.context.source]


FORGETFUL = Connector(
    "forgetful", "", NoOptions, lookup=Forgetful, sink=Forgetful, distribution="`plait-x` 1.0"
)


@pytest.mark.parametrize(
    ("method", "arguments", "mistake"),
    [
        ("fetch", [[]], "it gave something of the kind NoneType in `fetch`, not Iterable"),
        ("write", [[]], "it gave something of the kind NoneType in `write`, not Sequence"),
        ("permissions", [], "it asked for its `context` while there is none: plait plans and calls nothing"),
    ],
)
def test_a_slip_of_the_author_is_told_in_his_words(method: str, arguments: list[Any], mistake: str) -> None:
    role = FORGETFUL.open(Forgetful, NoOptions())
    with pytest.raises(GiveUp) as raised:
        list(getattr(role, method)(*arguments))
    assert raised.value.message == f"the connector `forgetful` of `plait-x` 1.0 failed: {mistake}"


def test_attributes_of_a_role_are_those_of_its_class() -> None:
    role = FORGETFUL.open(Forgetful, NoOptions())
    assert (role.order, role.keys_per_call, role.suffix) == ("none", None, "")
