"""How the connector `mysql` logs in: to whom it tells the password, and what it says where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from kit.connect import mysql_lookup
from kit.servers.mysql_server import asking_server, certificate
from kit.stubs import Stub
from plait.plugin import GiveUp, Key, TryAgain
from plait_connectors._mysql_errors import as_plait_error
from plait_connectors._sql_login import tls_context

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "canary-secret-password"
HERE, ELSEWHERE = "127.0.0.1", "0.0.0.0"
CLEAR, SHA2, SHA256 = "mysql_clear_password", "caching_sha2_password", "sha256_password"
KEY_REQUESTS = {b"\1", b"\2"}


def login_error(port: int, host: str, **options: Any) -> GiveUp:
    """Try to log in, which fails."""
    login = {"host": host, "port": port, "username": "u", "password": PASSWORD, "dbname": "d"}
    with (
        mysql_lookup(Stub(secrets={"db": login}), "t", **options) as lookup,
        pytest.raises(GiveUp) as caught,
    ):
        lookup.fetch([Key(fields={"id": 1})])
    return caught.value


@pytest.mark.parametrize("switches", [True, False], ids=["switch", "greeting"])
@pytest.mark.parametrize(
    ("host", "tls", "method"),
    [
        (HERE, "off", CLEAR),
        (HERE, "encrypt", CLEAR),
        (HERE, "encrypt", "dialog"),
        (HERE, "off", "mysql_old_password"),
        (ELSEWHERE, "off", CLEAR),
        (ELSEWHERE, "off", SHA2),
        (ELSEWHERE, "off", SHA256),
        (ELSEWHERE, "encrypt", CLEAR),
        (ELSEWHERE, "encrypt", SHA2),
        (ELSEWHERE, "encrypt", SHA256),
        (ELSEWHERE, None, CLEAR),
        (ELSEWHERE, None, SHA2),
    ],
)
def test_nobody_gets_the_password_who_has_not_proven_to_be_the_server(
    tmp_path: Path, host: str, tls: str | None, method: str, *, switches: bool
) -> None:
    """Neither itself, nor enciphered by a key of whoever asks, however the server asks for it."""
    file = None if tls == "off" else certificate(tmp_path, host)
    with asking_server(method, switches=switches, tls=file) as (port, packets):
        error = login_error(port, host, tls=tls)
    assert not any(PASSWORD.encode() in packet for packet in packets)
    assert not KEY_REQUESTS & {*packets}
    assert PASSWORD not in f"{error} {error.help}"
    if switches or method == SHA256:
        assert (error.code, any(cure in str(error.help) for cure in ("tls: verify", "ca: rds"))) == (
            "no-tls",
            True,
        )


@pytest.mark.parametrize(
    ("host", "tls", "method"),
    [(HERE, "verify", CLEAR), (ELSEWHERE, None, SHA2), (ELSEWHERE, None, SHA256), (HERE, "encrypt", SHA2)],
)
def test_a_server_that_is_verified_or_on_this_host_gets_the_password(
    tmp_path: Path, host: str, tls: str | None, method: str
) -> None:
    file = certificate(tmp_path, host)
    with asking_server(method, switches=True, tls=file) as (port, packets):
        login_error(port, host, tls=tls, ca=None if tls == "encrypt" else str(file))
    assert packets[-1] == PASSWORD.encode() + b"\0"


@pytest.mark.parametrize(
    ("names", "trusted", "message", "help"),
    [
        (["db.shop"], True, "names another host", "option `host`"),
        ([HERE], False, "is not trusted", "ca: rds"),
    ],
)
def test_a_certificate_that_does_not_fit_is_told_apart(
    tmp_path: Path, names: list[str], trusted: bool, message: str, help: str
) -> None:
    file = certificate(tmp_path, *names)
    with asking_server(CLEAR, switches=True, tls=file) as (port, packets):
        error = login_error(port, HERE, tls="verify", ca=str(file) if trusted else None)
    assert message in error.message
    assert help in (error.help or "")
    assert len(packets) == 1  # what asks for TLS


@pytest.mark.parametrize(
    ("number", "code", "message", "help"),
    [
        (3118, "denied", "is locked", "unlock"),
        (4151, "denied", "is locked", "unlock"),
        (1820, "denied", "has expired", "new password"),
        (1862, "denied", "has expired", "new password"),
        (1130, "denied", "no connection from this host", "network"),
        (3159, "no-tls", "requires TLS", "tls: verify"),
        (2059, "denied", "method of login", "caching_sha2_password"),
    ],
)
def test_a_login_that_is_refused_is_told_with_its_cure(
    number: int, code: str, message: str, help: str
) -> None:
    error = as_plait_error(pymysql.OperationalError(number, "for 'u'@'10.0.0.7'"), "shop.stores")
    assert isinstance(error, GiveUp)
    assert (error.code, message in error.message, help in (error.help or "")) == (code, True, True)
    assert "10.0.0.7" not in error.message


@pytest.mark.parametrize("number", [9501, 1129, 1135, 1041, 1037, 1038, 1114, 4031, 3032, 3168, 3169])
def test_a_server_that_is_short_of_something_is_for_later(number: int) -> None:
    error = as_plait_error(pymysql.OperationalError(number, "no room"), "shop.stores")
    assert isinstance(error, TryAgain)


def test_the_authorities_of_rds_are_trusted_by_their_name() -> None:
    names = [
        dict(part[0] for part in authority["subject"]).get("commonName", "")  # type: ignore[misc]
        for authority in tls_context("verify", "rds").get_ca_certs()
    ]
    for words in ("RSA2048", "RSA4096", "ECC384"):
        assert f"Amazon RDS eu-west-1 Root CA {words} G1" in names
    assert len([name for name in names if name.startswith("Amazon RDS")]) == 81
