"""Read the environment variables of AWS, and reject invalid ones before a client fails with its own message."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from plait.problems.errors import GiveUp

ENDPOINT_VARIABLE = re.compile(r"AWS_ENDPOINT(_URL(_\w+)?)?\Z")
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
CREDENTIAL_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
REGION = re.compile(r"[A-Za-z0-9-]{1,63}\Z", re.ASCII)
HOST = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}\Z", re.ASCII)
PATH = re.compile(r"(?:/[A-Za-z0-9._~-]*)*\Z", re.ASCII)
AFTER_IPV6 = re.compile(r"\][^:]")
PRINTABLE = re.compile(r"[!-~]*\Z", re.ASCII)


def check_settings() -> None:
    """Raise GiveUp for an address, region or credential that cannot be one; its message names the variable, not the value."""
    for name in sorted(filter(ENDPOINT_VARIABLE.match, os.environ)):
        if not _is_address(os.environ[name]):
            why = "is no address" if os.environ[name] else "is empty"
            raise _wrong_setting(name, why, "to one such as `http://localhost:5000`, or leave it out")
    for name in (name for name in REGION_VARIABLES if name in os.environ):
        if not REGION.match(os.environ[name]) and (os.environ[name] or not region()):
            why = "is no region" if os.environ[name] else "is empty"
            raise _wrong_setting(name, why, "to one such as `eu-west-1`")
    for name in CREDENTIAL_VARIABLES:
        if not PRINTABLE.match(os.environ.get(name, "")):
            raise _wrong_setting(
                name, "has a space or a line break in it", "anew, without what stands around it"
            )


def region() -> str | None:
    """The region that is set, or None."""
    return next((os.environ[name] for name in REGION_VARIABLES if os.environ.get(name)), None)


def endpoint() -> str | None:
    """The address of S3 that is set in place of AWS's own, or None."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_host = parts.port != 0 and _is_host(parts.hostname or "") and not AFTER_IPV6.search(parts.netloc)
    except ValueError:
        return False
    is_plain = PRINTABLE.match(text) and "?" not in text and "#" not in text and PATH.match(parts.path)
    return bool(is_plain and has_host and parts.scheme in ("http", "https"))


def _is_host(name: str) -> bool:
    """Whether a text is the name or the IP address of a host; most clients read what ends in a number as an address."""
    if ":" in name or name.rpartition(".")[2].isdigit():
        from ipaddress import ip_address

        return bool(ip_address(name))
    return HOST.match(name) is not None


def _wrong_setting(name: str, why: str, help: str) -> GiveUp:
    return GiveUp(f"`{name}` {why}", code="wrong-settings", help=f"set `{name}` {help}")
