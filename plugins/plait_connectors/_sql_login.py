"""How to log in to a SQL server: what the secret has to hold, and how much TLS the host needs."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from plait.plugin import GiveUp, Secret

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from plait.plugin import Secrets

METADATA_NETWORK = ipaddress.ip_network("fd00:ec2::/32")


def login(secret: Secrets, secret_name: str, table: str, default_port: int) -> dict[str, Any]:
    """Return host, port, user, password and database of a secret, texts still masked; raises GiveUp if it lacks one.

    A `table` without its database needs the secret's `dbname`.
    """
    needs_database = "." not in table
    for field in ("host", "username", "password", *(["dbname"] if needs_database else [])):
        if not isinstance(secret.get(field), Secret) or not secret[field]:
            raise GiveUp(
                f"the secret `{secret_name}` has no text `{field}`", help=f"add `{field}` to the secret"
            )
    if _is_link_local(secret["host"].reveal()):
        message = f"the `host` of the secret `{secret_name}` is the address of a metadata service"
        raise GiveUp(message, code="wrong-host", help="set `host` to the address of the database")
    port = _port(secret.get("port", default_port))
    if port is None:
        raise GiveUp(f"the `port` of the secret `{secret_name}` is no number")
    return {
        "host": secret["host"],
        "port": port,
        "user": secret["username"],
        "password": secret["password"],
        "database": secret.get("dbname") if needs_database else None,
    }


def revealed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the texts of their secrets; the result must get no name, which a traceback would show."""
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in arguments.items()}


def _port(value: Any) -> int | None:
    text = value.reveal() if isinstance(value, Secret) else str(value)
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else None


def tls_mode(host: Secret, tls: str | None, ca: str | None) -> str:
    """Return the mode that the option `tls` sets, or the one that suits the host if it is left out."""
    is_loopback = _is_loopback(host.reveal())
    return tls or ("verify" if ca else "off" if is_loopback else "encrypt")


def tls_context(mode: str, ca: str | None) -> ssl.SSLContext:
    """Return the TLS settings for the mode `verify` or `encrypt`; raises GiveUp if `ca` cannot be read."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise GiveUp(f"no certificates can be read from `{ca}`", help="check the option `ca`") from error
    if mode == "encrypt":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, in any spelling that the operating system accepts; None for a name."""
    import socket

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or bool(address and address.is_loopback)


def _is_link_local(host: str) -> bool:
    """Whether a host is in the networks where clouds serve credentials and settings, and no database ever is."""
    address = _address(host)
    return address is not None and (address.is_link_local or address in METADATA_NETWORK)
