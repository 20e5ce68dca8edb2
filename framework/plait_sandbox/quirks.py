"""What can be odd about an order, and how to make one so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Change: TypeAlias = Callable[["Draft", int], None]

STORE_COUNT = 500
STORES_WITH_CITY = 490  # only orders of the quirk `store_null_city` are from the other stores
ALL_FACETS = "key layout time store customer money loyalty items fraud noise"
TWO_HOURS_EAST = timezone(timedelta(hours=2))
KEY_WORDS = ("pedido ñ+1", "a+b c", "日本 1", "100% é")
TOTALS = ("9999999999.99", "0.30", "1234567.89", '"12.30"', "1234.10", "0.00", "-5.05")


@dataclass(slots=True)
class Draft:
    """An order that is not written yet, with what the other sources hold about it."""

    key: str
    id: str
    at: datetime
    order: dict[str, Any]
    total: str  # as JSON
    loyalty: Any
    items: list[list[str]] | None  # without a file where None
    newline: str = "\n"
    scores: dict[int, int] = field(default_factory=dict)  # by seconds after the order
    noise: list[str] = field(default_factory=list)
    rewrite: Callable[[str], str] = str
    indent: int | None = None
    changed_facets: set[str] = field(default_factory=set)


class Quirk(NamedTuple):
    """An oddity: the facets of an order that it changes, which no other quirk may change too, and how.

    `change` gets the draft, and how many drafts have shown the quirk before.
    """

    facets: str
    change: Change
    fewest: int = 1  # orders in which it occurs


def _set_values(**values: object) -> Change:
    return lambda draft, _: draft.order.update(values)


def _remove_value(name: str) -> Change:
    return lambda draft, _: draft.order.pop(name, None)


def _set_attributes(**values: object) -> Change:
    def change(draft: Draft, _: int) -> None:
        for name, value in values.items():
            setattr(draft, name, value)

    return change


def _set_cell_of_last_item(column: int, text: str) -> Change:
    def change(draft: Draft, _: int) -> None:
        if draft.items:
            draft.items[-1][column] = text

    return change


def _set_time(format_time: Callable[[datetime], str | None], hour: int | None = None) -> Change:
    def change(draft: Draft, _: int) -> None:
        draft.at = draft.at if hour is None else draft.at.replace(hour=hour)
        draft.order["ordered_at"] = format_time(draft.at)

    return change


def _set_odd_key(draft: Draft, number: int) -> None:
    draft.key = f"transactions/{KEY_WORDS[number % 4]} {draft.id}.json"


def _set_store_without_city(draft: Draft, number: int) -> None:
    draft.order["store_id"] = STORE_COUNT - number % (STORE_COUNT - STORES_WITH_CITY)


def _set_total(draft: Draft, number: int) -> None:
    draft.total = TOTALS[number % 7]


def _remove_embedded_data(draft: Draft, number: int) -> None:
    draft.loyalty = None
    if number % 2:
        del draft.order["embedded_data"]


def _put_dots_into_id(draft: Draft, _: int) -> None:
    draft.id = f"{draft.id[:2]}..{draft.id[2:]}"
    draft.order["transaction_id"] = draft.id


def _add_noise(draft: Draft, _: int) -> None:
    shorter, longer = draft.id[:7], f"{draft.id}0"
    draft.noise = ["[health] ok", f"[fraud] model v3: transaction {draft.id} skipped"] + [
        f"[fraud] model v3: transaction {other} scored 99" for other in (shorter, longer)
    ]


def _remove_items(draft: Draft, _: int) -> None:
    if draft.items:
        draft.items.clear()


BROKEN: dict[str, Change] = {
    "malformed": _set_attributes(rewrite=lambda text: text[: len(text) * 2 // 3]),
    "not_an_object": _set_attributes(rewrite=lambda text: f"[{text}]"),
    "no_id": _remove_value("transaction_id"),
    "dotted_id": _put_dots_into_id,
    "money_too_fine": _set_attributes(total="19.999"),
    "bad_base64": _set_values(embedded_data="%%% not base64 %%%"),
    "bad_csv_cell": _set_cell_of_last_item(1, "two"),
}
"""The quirks that make an order a bad record."""
QUIRKS: dict[str, Quirk] = {
    **{name: Quirk(ALL_FACETS, change) for name, change in BROKEN.items()},
    "null_time": Quirk("time fraud", _set_time(lambda _: None)),
    "offset_time": Quirk("time", _set_time(lambda at: at.astimezone(TWO_HOURS_EAST).isoformat(), hour=22)),
    "naive_time": Quirk("time", _set_time(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%f"))),
    "fine_time": Quirk("time", _set_time(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%f789Z"))),
    "no_items": Quirk("items", _set_attributes(items=None)),
    "empty_items": Quirk("items", _remove_items),
    "quoted_csv": Quirk("items", _set_cell_of_last_item(0, 'Lamp, 12" "old"\nstyle')),
    "crlf_csv": Quirk("items", _set_attributes(newline="\r\n")),
    "null_csv_cell": Quirk("items", _set_cell_of_last_item(1, "")),
    "two_fraud_lines": Quirk("fraud", _set_attributes(scores={120: 91, 900: 12})),
    "no_fraud": Quirk("fraud", lambda draft, _: draft.scores.clear()),
    "fraud_out_of_window": Quirk("fraud", _set_attributes(scores={3 * 3600: 77})),
    "other_log_text": Quirk("noise", _add_noise),
    "unknown_store": Quirk("store", _set_values(store_id=900_001)),
    "null_store": Quirk("store", _set_values(store_id=None)),
    "store_null_city": Quirk("store", _set_store_without_city),
    "integral_float": Quirk("store", _set_values(store_id=17.0)),
    "text_store_id": Quirk("store", _set_values(store_id="17")),
    "two_orders_one_customer": Quirk("store customer", _set_values(store_id=1, customer_id="c-0000"), 2),
    "unseen_customer": Quirk("customer", _set_values(customer_id="c-unseen")),
    "odd_key": Quirk("key", _set_odd_key, 4),
    "pretty_json": Quirk("layout", _set_attributes(indent=2)),
    "money": Quirk("money", _set_total, 7),
    "null_embedded": Quirk("loyalty", _remove_embedded_data, 2),
    "no_loyalty": Quirk("loyalty", lambda draft, _: draft.loyalty.clear()),
}
