"""How to log in to a SQL server: its options, what the secret has to hold, and how much TLS the host needs."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from plait.plugin import GiveUp, Options, Secret

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from plait.plugin import Secrets

METADATA_NETWORK = ipaddress.ip_network("fd00:ec2::/32")
RDS = "rds"
Text = Annotated[str, Meta(min_length=1)]


class LoginOptions(Options, frozen=True, kw_only=True):
    """Options of every connector that logs in to a SQL server."""

    secret: Annotated[
        str,
        Meta(
            min_length=1,
            description="secret with host, port, username, password, dbname",
            examples=["shop/stores-db"],
        ),
    ]
    host: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9._:%-]+$",
                description="name or address, in place of the secret's `host`",
                examples=["db.shop.example"],
                extra_json_schema={"patternErrorMessage": "a name or an address, and no URL"},
            ),
        ]
        | None
    ) = None
    port: Annotated[int, Meta(ge=1, le=65_535, description="in place of the secret's `port`")] | None = None
    database: (
        Annotated[Text, Meta(description="in place of the secret's `dbname`", examples=["shop"])] | None
    ) = None
    tls: Annotated[
        Literal["verify", "encrypt", "off"] | None,
        Meta(description="left out: verify, or off on this host where `ca` is not given"),
    ] = None
    ca: (
        Annotated[
            Text,
            Meta(
                description="for `tls: verify`: `rds`, or a file with the certificates to trust",
                examples=[RDS, "certificates.pem"],
            ),
        ]
        | None
    ) = None

    def ca_file(self) -> str | None:
        """Return the file of certificates that the spec names, which is beside it."""
        return None if self.ca == RDS else self.ca

    def remarks(self) -> Iterator[str]:
        """Yield what whoever reviews the spec should know of how little TLS it asks for."""
        if self.tls == "encrypt":
            yield "`tls: encrypt` takes any certificate, so whoever is in between can answer as the server"
        if self.tls == "off":
            yield "`tls: off` sends all rows in clear, and takes any server"


def login(
    options: LoginOptions, secret: Secrets, default_port: int, *, needs_database: bool
) -> dict[str, Any]:
    """Return host, port, user, password and database, texts of the secret still masked; raises GiveUp if one is missing."""
    values: dict[str, Any] = {
        "host": Secret(options.host) if options.host else secret.get("host"),
        "username": secret.get("username"),
        "password": secret.get("password"),
        "dbname": Secret(options.database) if options.database else secret.get("dbname"),
    }
    others = {"host": ", or set the option `host`", "dbname": ", or set the option `database`"}
    for field, value in values.items():
        if (field != "dbname" or needs_database) and not (isinstance(value, Secret) and value):
            message = f"the secret `{options.secret}` has no text `{field}`"
            raise GiveUp(message, help=f"add `{field}` to the secret{others.get(field, '')}")
    if _is_link_local(values["host"].reveal()):
        owner = "" if options.host else f" of the secret `{options.secret}`"
        message = f"the `host`{owner} is the address of a metadata service"
        raise GiveUp(message, code="wrong-host", help="set `host` to the address of the database")
    port = _port(options.port or secret.get("port", default_port))
    if port is None:
        raise GiveUp(
            f"the `port` of the secret `{options.secret}` is no number", help="set the option `port`"
        )
    return {
        "host": values["host"],
        "port": port,
        "user": values["username"],
        "password": values["password"],
        "database": values["dbname"] if needs_database else None,
    }


def revealed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the texts of their secrets; the result must get no name, which a traceback would show."""
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in arguments.items()}


def _port(value: Any) -> int | None:
    text = value.reveal() if isinstance(value, Secret) else str(value)
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else None


def tls_mode(host: Secret, options: LoginOptions) -> str:
    """Return the mode that the option `tls` sets, or the one that suits the host if it is left out."""
    return options.tls or ("off" if is_on_this_host(host) and not options.ca else "verify")


def tls_context(mode: str, ca: str | None) -> ssl.SSLContext:
    """Return the TLS settings for the mode `verify` or `encrypt`; raises GiveUp if `ca` cannot be read."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=None if ca == RDS else ca)
        if ca == RDS:  # beside those of the system, which a proxy of RDS has
            context.load_verify_locations(Path(__file__).with_name("rds.pem"))
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


def is_on_this_host(host: Secret) -> bool:
    """Whether a server's host is the one where this runs, so that nobody is in between."""
    address = _address(host.reveal())
    return host == Secret("localhost") or bool(address and address.is_loopback)


def _is_link_local(host: str) -> bool:
    """Whether a host is in the networks where clouds serve credentials and settings, and no database ever is."""
    address = _address(host)
    return address is not None and (address.is_link_local or address in METADATA_NETWORK)
