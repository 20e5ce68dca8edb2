"""What a connector tells plans and policies without calling anything: the calls it makes and the rights they need."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Quantity = Literal["objects", "listings", "keys", "pages", "files", "replaced", "starts", "registrations"]


class Statement(Struct, frozen=True, kw_only=True):
    """IAM actions that calls need on resources; `why` is the reason, for whoever reviews the policy.

    In the ARNs of `resources`, `${AWS::Partition}`, `${AWS::Region}` and `${AWS::AccountId}` stand for where
    the function runs. If a `*` makes a resource wider than what is used, `why` says so. What is `parted` is needed only
    where `partition_by` parts the rows.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str
    parted: bool = False


class Calls(Struct, frozen=True, kw_only=True):
    """How often an operation is called: once for each `per` of a quantity in a batch.

    Quantities are `objects` read, `listings` (pages of a listing), `keys` that a lookup is asked for, `pages`
    of its answers, `files` written, `replaced` (files that were there before), `starts` (of a process) and
    `registrations` (batches with a partition that their process has not seen).
    `units` is what the service charges for each of the quantity instead of for each call, such as a read unit
    for each key. Calls with the same `once` are made once, however many sources need them.
    """

    operation: str
    quantity: Quantity
    per: Annotated[int, Meta(ge=1)] = 1
    units: float | None = None
    once: str = ""
