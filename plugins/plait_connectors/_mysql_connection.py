"""A connection to a MySQL server that shows its password to nobody who has not proven to be that server."""

from __future__ import annotations

from typing import Any

from pymysql import Connection, OperationalError
from pymysql.constants import CR

# Methods by which a server gets the password itself, or a digest from which it is computed in seconds.
CLEAR_METHODS = ("mysql_clear_password", "dialog", "mysql_old_password")
# Methods that send it in clear within TLS, and without TLS enciphered by a key that the server sends when asked so.
SHA256_METHOD = "sha256_password"
KEY_REQUESTS = (b"\1", b"\2")


class Refusal:
    """Answers a server that asks for a method of login."""

    def __init__(self, _connection: Any) -> None:
        pass

    def authenticate(self, _packet: Any) -> None:
        """Refuse."""
        raise OperationalError(CR.CR_AUTH_PLUGIN_ERR, "the password is asked for in clear")


class GuardedConnection(Connection):
    """Sends the password in clear to a `verified` server alone, and by the methods of SHA-256 to one on this host."""

    def __init__(self, *, verified: bool, on_this_host: bool, **settings: Any) -> None:
        self._is_guarded = not (verified or on_this_host)
        refused: dict[str, Any] = {} if verified else dict.fromkeys(CLEAR_METHODS, Refusal)
        super().__init__(**settings, auth_plugin_map=refused)

    def write_packet(self, payload: bytes) -> None:
        """Send a packet of the login, unless it would tell the password."""
        method = self._auth_plugin_name  # type: ignore[attr-defined]
        tells = method == SHA256_METHOD or payload in (self.password + b"\0", *KEY_REQUESTS)
        if self._is_guarded and tells:
            Refusal(self).authenticate(payload)
        super().write_packet(payload)
