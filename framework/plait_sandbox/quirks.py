"""What can be odd about an order, and how to make one so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

STORES = 500
KNOWN = 490  # the other stores have no city and are visited only by `store_null_city`
ALL = "key layout time store customer money loyalty items fraud noise"
EAST = timezone(timedelta(hours=2))


@dataclass(slots=True)
class Draft:
    """An order that is not written yet."""

    key: str
    id: str
    at: datetime
    order: dict[str, Any]
    total: str
    loyalty: Any
    lines: list[list[str]] | None
    newline: str = "\n"
    scores: dict[int, int] = field(default_factory=dict)  # seconds after the order
    noise: list[str] = field(default_factory=list)
    shape: Callable[[str], str] = str
    indent: int | None = None
    taken: set[str] = field(default_factory=set)


def _order(**values: object) -> Callable[[Draft, int], None]:
    return lambda draft, _: draft.order.update(values)


def _set(**values: object) -> Callable[[Draft, int], None]:
    def change(draft: Draft, _: int) -> None:
        for name, value in values.items():
            setattr(draft, name, value)

    return change


def _cell(column: int, text: str) -> Callable[[Draft, int], None]:
    def change(draft: Draft, _: int) -> None:
        if draft.lines:
            draft.lines[-1][column] = text

    return change


def _time(
    write_as: Callable[[datetime], str | None], hour: int | None = None
) -> Callable[[Draft, int], None]:
    def change(draft: Draft, _: int) -> None:
        draft.at = draft.at if hour is None else draft.at.replace(hour=hour)
        draft.order["ordered_at"] = write_as(draft.at)

    return change


def _odd_key(draft: Draft, n: int) -> None:
    draft.key = f"transactions/{('pedido ñ+1', 'a+b c', '日本 1', '100% é')[n % 4]} {draft.id}.json"


def _absent(name: str) -> Callable[[Draft, int], None]:
    return lambda draft, _: draft.order.pop(name, None)


def _null_embedded(draft: Draft, n: int) -> None:
    draft.loyalty = None
    if n % 2:
        del draft.order["embedded_data"]


def _slash_id(draft: Draft, _: int) -> None:
    draft.id = f"{draft.id[:2]}/{draft.id[2:]}"
    draft.order["transaction_id"] = draft.id


def _other_text(draft: Draft, _: int) -> None:
    shorter, longer = draft.id[:7], f"{draft.id}0"
    draft.noise = ["[health] ok", f"[fraud] model v3: transaction {draft.id} skipped"] + [
        f"[fraud] model v3: transaction {other} scored 99" for other in (shorter, longer)
    ]


def _money_text(draft: Draft, n: int) -> None:
    draft.total = ("9999999999.99", "0.30", "1234567.89", '"12.30"', "1234.10", "0.00", "-5.05")[n % 7]


def _no_lines(draft: Draft, _: int) -> None:
    if draft.lines:
        draft.lines.clear()


BROKEN: dict[str, Callable[[Draft, int], None]] = {
    "malformed": _set(shape=lambda text: text[: len(text) * 2 // 3]),
    "not_an_object": _set(shape=lambda text: f"[{text}]"),
    "no_id": _absent("transaction_id"),
    "slash_id": _slash_id,
    "money_too_fine": _set(total="19.999"),
    "bad_base64": _order(embedded_data="%%% not base64 %%%"),
    "bad_csv_cell": _cell(1, "two"),
}
QUIRKS: dict[str, tuple[str, int, Callable[[Draft, int], None]]] = {
    **{name: (ALL, 1, change) for name, change in BROKEN.items()},
    "null_time": ("time fraud", 1, _time(lambda _: None)),
    "offset_time": ("time", 1, _time(lambda at: at.astimezone(EAST).isoformat(), hour=22)),
    "naive_time": ("time", 1, _time(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%f"))),
    "fine_time": ("time", 1, _time(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%f789Z"))),
    "no_items": ("items", 1, _set(lines=None)),
    "empty_items": ("items", 1, _no_lines),
    "quoted_csv": ("items", 1, _cell(0, 'Lamp, 12" "old"\nstyle')),
    "crlf_csv": ("items", 1, _set(newline="\r\n")),
    "null_csv_cell": ("items", 1, _cell(1, "")),
    "two_fraud_lines": ("fraud", 1, _set(scores={120: 91, 900: 12})),
    "no_fraud": ("fraud", 1, lambda draft, _: draft.scores.clear()),
    "fraud_out_of_window": ("fraud", 1, _set(scores={3 * 3600: 77})),
    "other_log_text": ("noise", 1, _other_text),
    "unknown_store": ("store", 1, _order(store_id=900_001)),
    "null_store": ("store", 1, _order(store_id=None)),
    "store_null_city": (
        "store",
        1,
        lambda draft, n: draft.order.update(store_id=STORES - n % (STORES - KNOWN)),
    ),
    "integral_float": ("store", 1, _order(store_id=17.0)),
    "text_store_id": ("store", 1, _order(store_id="17")),
    "two_orders_one_customer": ("store customer", 2, _order(store_id=1, customer_id="c-0000")),
    "unseen_customer": ("customer", 1, _order(customer_id="c-unseen")),
    "odd_key": ("key", 4, _odd_key),
    "pretty_json": ("layout", 1, _set(indent=2)),
    "money": ("money", 7, _money_text),
    "null_embedded": ("loyalty", 2, _null_embedded),
    "no_loyalty": ("loyalty", 1, lambda draft, _: draft.loyalty.clear()),
}
