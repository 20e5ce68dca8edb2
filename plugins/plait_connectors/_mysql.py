"""The errors of a MySQL server, as what a user can do about them."""

from __future__ import annotations

import re
from typing import Literal

from plait.api import GiveUp, PlaitError, TryAgain

DENIED = {1045, 1698}
SLOW = {1969, 3024}
LOST = {
    0,
    1040,
    1053,
    1152,
    1159,
    1160,
    1161,
    1184,
    1203,
    1205,
    1213,
    1226,
    1317,
    1927,
    2003,
    2006,
    2013,
    2014,
    2055,
}
CAUSES = {
    1044: ("the secret's user may not use the database of `{table}`", "grant SELECT on the table"),
    1142: ("the secret's user may not read `{table}`", "grant SELECT on the table"),
    1143: ("the secret's user may not read a column of `{table}`", "grant SELECT on the column"),
    1049: ("there is no database of `{table}`", "check the option `table` and the secret's `dbname`"),
    2026: ("the server of `{table}` does not offer TLS", "set `tls: off` if the network may be trusted"),
    1146: ("there is no table `{table}`", "check the option `table`"),
}


def kind_of(error: Exception) -> Literal["denied", "lost", "slow", "wrong"]:
    """What may help: another password, another connection, another hour, or nothing."""
    import ssl

    code = error.args[0] if error.args else None
    if isinstance(getattr(error, "original_exception", None), ssl.SSLCertVerificationError):
        return "wrong"
    if code in SLOW:
        return "slow"
    return "denied" if code in DENIED else "lost" if code in LOST else "wrong"


def problem(error: Exception, kind: str, table: str) -> PlaitError:
    """What to tell of an error: never its own text, which may show the user, the host or a value."""
    code, text = (*error.args, None, None)[:2]
    if kind == "lost":
        return TryAgain(f"the MySQL server of `{table}` is not answering (error {code})")
    if kind == "slow":
        return TryAgain(
            f"the MySQL server of `{table}` takes too long to answer (error {code})",
            help="give the table an index of the columns that the join is on",
        )
    if kind == "denied":
        return GiveUp(
            f"the MySQL server of `{table}` refuses the secret's user and password", help="update the secret"
        )
    if code == 2003:
        return GiveUp(
            f"the certificate of the MySQL server of `{table}` is not trusted", help="set the option `ca`"
        )
    if code == 1054 and (name := re.search("'(.*?)'", str(text))):
        return GiveUp(f"`{table}` has no column `{name[1]}`", help="check `columns` and `join`")
    message, help = (
        CAUSES.get(code, ("the MySQL server refuses to read `{table}`", None)) if code else (None, None)
    )
    return GiveUp(
        (message or "MySQL failed on `{table}`").format(table=table) + f" (error {code})", help=help
    )
