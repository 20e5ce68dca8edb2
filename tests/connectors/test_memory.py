"""The connector `memory`: rows in the spec."""

from __future__ import annotations

from typing import Any

from plait.engine.context import Services
from plait.plugin import Key, Window
from plait_connectors.memory import MemoryOptions, plait_connectors

OPTIONS = MemoryOptions(rows=[{"id": 1, "a": "x"}, {"id": 2, "b": None}])


def test_each_row_is_an_object() -> None:
    connector: Any = plait_connectors()[0]
    driver = connector.driver(OPTIONS, Services().context("orders", None))
    items = [*driver.list(Window())]
    assert [i.uri for i in items] == ["memory:orders/0", "memory:orders/1"]
    assert driver.accepts(items[0].uri)
    assert not driver.accepts("memory:orders/2")
    assert [(r.item, r.fields) for r in driver.read(items[1:])] == [(items[1], {"id": 2, "b": None})]


def test_every_row_may_match() -> None:
    connector: Any = plait_connectors()[0]
    lookup = connector.lookup(OPTIONS, Services().context("orders", None))
    assert [r.fields["id"] for r in lookup.fetch([Key(fields={"id": 2})])] == [1, 2]
    assert lookup.known_fields() == ["id", "a", "b"]
