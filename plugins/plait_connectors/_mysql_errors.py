"""A table of what the errors of a MySQL server mean: what may help, our code, and the message for users."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from plait.plugin import GiveUp, PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

Remedy = Literal["denied", "lost", "slow", "wrong"]
MALFORMED_ANSWER = 2027
COLLATION_ERRORS = {
    1267,
    1270,
    1271,
    3988,
}  # a text in the key has characters that the character set of its column lacks


class MySQLErrorMeaning(NamedTuple):
    """What an error means to a user.

    `remedy` is what may help: a new password (`denied`), a new connection (`lost`), a later time (`slow`) or
    nothing (`wrong`). `message` has `{table}` where the name of the table goes.
    """

    remedy: Remedy
    code: str
    message: str
    help: str | None = None


LOST, WRONG = partial(MySQLErrorMeaning, "lost"), partial(MySQLErrorMeaning, "wrong")
GONE = LOST(
    "no-answer",
    "the MySQL server of `{table}` is not answering",
    "check that it runs, and that its security group lets this host in",
)
BUSY = LOST("throttled", "the MySQL server of `{table}` is too busy", "allow more connections")
SLOW = MySQLErrorMeaning(
    "slow",
    "too-slow",
    "the MySQL server of `{table}` takes too long to answer",
    "give the table an index of the columns that the join is on",
)
LOGIN = MySQLErrorMeaning(
    "denied",
    "denied",
    "the MySQL server of `{table}` refuses the secret's user and password",
    "update the secret, or set `tls: verify` where the user requires TLS",
)
OTHER = WRONG("wrong-request", "the MySQL server refuses to read `{table}`", "check `table` and `columns`")
UNTRUSTED = partial(WRONG, "no-tls")
UNTRUSTED_BY_CODE = {  # of OpenSSL
    10: UNTRUSTED("the certificate of the MySQL server of `{table}` has expired", "renew it"),
    **dict.fromkeys(
        (62, 64),
        UNTRUSTED(
            "the certificate of the MySQL server of `{table}` is trusted, but names another host",
            "set the option `host` to a name in the certificate, such as the database's endpoint",
        ),
    ),
}
UNKNOWN_ISSUER = UNTRUSTED(
    "the certificate of the MySQL server of `{table}` is not trusted",
    "set `ca: rds` for a database of RDS, else the option `ca` to the file of the certificates to trust",
)
MEANINGS = {
    **dict.fromkeys((0, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927), GONE),
    **dict.fromkeys((2003, 2006, 2013, 2014, 2055, 3032, 3168, 3169, 4031), GONE),
    **dict.fromkeys((1037, 1038, 1040, 1041, 1114, 1129, 1135, 1203, 1205, 1213, 1226, 9501), BUSY),
    **dict.fromkeys((1969, 3024), SLOW),
    **dict.fromkeys((1045, 1698), LOGIN),
    **dict.fromkeys(
        (3118, 3955, 4151),
        WRONG("denied", "the secret's user is locked at the server of `{table}`", "unlock it"),
    ),
    **dict.fromkeys(
        (1820, 1862),
        LOGIN._replace(
            message="the password of the secret's user has expired at the server of `{table}`",
            help="give the user a new password, and update the secret",
        ),
    ),
    1130: WRONG(
        "denied",
        "the MySQL server of `{table}` takes no connection from this host",
        "create the secret's user for this network, as in `user@'10.0.%'`",
    ),
    3159: WRONG("no-tls", "the MySQL server of `{table}` requires TLS", "set `tls: verify`"),
    2059: WRONG(
        "denied",
        "the MySQL server of `{table}` asks for a method of login that plait does not have",
        "let the user log in by `caching_sha2_password` or `mysql_native_password`",
    ),
    2061: WRONG(
        "no-tls",
        "the MySQL server of `{table}` asks for the password itself, and has not proven who it is",
        "set `tls: verify`, with `ca` if its certificate is not of a public authority",
    ),
    1044: WRONG(
        "denied", "the secret's user may not use the database of `{table}`", "grant SELECT on the table"
    ),
    1049: WRONG(
        "not-found", "there is no database of `{table}`", "check the option `table` and the secret's `dbname`"
    ),
    1142: WRONG("denied", "the secret's user may not read `{table}`", "grant SELECT on the table"),
    1143: WRONG(
        "denied", "the secret's user may not read a column of `{table}`", "grant SELECT on the column"
    ),
    1146: WRONG("not-found", "there is no table `{table}`", "check the option `table`"),
    2026: WRONG(
        "no-tls", "the server of `{table}` does not offer TLS", "set `tls: off` if the network may be trusted"
    ),
    MALFORMED_ANSWER: LOST(
        "unreadable-answer", "the answer of the MySQL server of `{table}` is no answer of MySQL"
    ),
}


def meaning(error: Exception) -> MySQLErrorMeaning:
    """Look up what an error of the client means; one without a number is an answer that it could not read."""
    import ssl

    original = getattr(error, "original_exception", None)
    if isinstance(original, ssl.SSLCertVerificationError):
        return UNTRUSTED_BY_CODE.get(original.verify_code, UNKNOWN_ISSUER)
    number = _error_number(error)
    return MEANINGS[MALFORMED_ANSWER] if number is None else MEANINGS.get(number, OTHER)


def _error_number(error: Exception) -> int | None:
    return error.args[0] if error.args and isinstance(error.args[0], int) else None


@contextmanager
def reading_answers() -> Iterator[None]:
    """Raise pymysql.OperationalError for bytes that the client cannot read, as for its other errors."""
    import struct

    import pymysql

    try:
        yield
    except (struct.error, LookupError, ValueError, AssertionError, OverflowError) as error:
        raise pymysql.OperationalError(MALFORMED_ANSWER) from error


def as_plait_error(error: Exception, table: str) -> PlaitError:
    """Return the error for users; it never has the client's text, which may show the user, the host or a value."""
    error_meaning, number = meaning(error), _error_number(error)
    if number == 1054 and (column := re.search("'(.*?)'", str(error.args[1:]))):
        message, help = f"`{table}` has no column `{column[1]}`", "check `columns` and `join`"
        return GiveUp(message, code="not-found", help=help)
    message = error_meaning.message.format(table=table) + f" (error {number or MALFORMED_ANSWER})"
    kind = TryAgain if error_meaning.remedy in ("lost", "slow") else GiveUp
    return kind(message, code=error_meaning.code, help=error_meaning.help)
