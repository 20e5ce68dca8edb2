"""The shop's sample with a canary in each of its sources, where a row, a record in quarantine, or nothing takes it from."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kit.watch.canaries import PAYLOAD

if TYPE_CHECKING:
    from plait_sandbox.sample_data import Sample

EMBEDDED = re.compile(rb'("embedded_data": ")([\w+/=]+)"')
TIER = re.compile(rb'("tier": ")')


def salted(sample: Sample) -> Sample:
    """The same orders, however odd, with canaries in them."""
    objects = {key: _salted(key, body) for key, body in sample.objects.items()}
    stores = [
        store._replace(name=f"{store.name} {PAYLOAD}store") if store.name else store
        for store in sample.stores
    ]
    activity = [
        {**item, "customer_id": f"{item['customer_id']}-{PAYLOAD}customer", "note": f"{PAYLOAD}attribute"}
        for item in sample.activity
    ]
    logs = [(at, f"{PAYLOAD}line {line}") for at, line in sample.logs]
    return replace(sample, objects=objects, stores=stores, activity=activity, logs=logs)


def _salted(key: str, body: bytes) -> bytes:
    word = PAYLOAD.encode()
    if key.startswith("items/"):
        return body.replace(b"SKU-", word + b"sku-")
    body = body.replace(b"{", b'{"note": "' + word + b'order", ', 1)
    body = re.sub(rb'("customer_id": "c-\w+)"', rb"\1-" + word + b'customer"', body)
    return EMBEDDED.sub(lambda match: match[1] + _embedded(match[2]) + b'"', body)


def _embedded(text: bytes) -> bytes:
    return base64.b64encode(TIER.sub(rb"\1" + PAYLOAD.encode(), base64.b64decode(text)))
