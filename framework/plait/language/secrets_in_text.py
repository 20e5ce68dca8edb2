"""Recognise secrets in a spec, where only the names of secrets belong, and mask them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.problems.problem import Span

_CREDENTIAL_KEY = re.compile(
    r"(.*_)?(password|passwd|passphrase|pwd|token|api_?key|access_?key(_id)?|secret_?key|secret_access_key"
    r"|private_?key|client_secret|credentials?)\Z",
    re.IGNORECASE,
)
_SECRET_VARIABLE = re.compile(
    r"(?!(OLD)?PWD\Z)"
    r".*(PASSWORD|PASSWD|PASSPHRASE|(_|\A)PASS|PWD|TOKEN|ACCESS_KEY(_ID)?|SECRET_KEY|PRIVATE_KEY|API_?KEY)\Z",
    re.IGNORECASE,
)
_NAME_OF_SECRET = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,2048}\Z|rds![A-Za-z0-9-]+\Z")
_SECRET = re.compile(
    r"(?P<key>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)"
    r"|(?P<private>-----BEGIN [A-Z ]*PRIVATE KEY-----)"
    r"|(?P<url>\b[a-z][a-z0-9+.-]*://[^\s/@]*:[^\s/@{}$]+@)"
    r"|(?P<token>\b(?:gh[pousr]_[A-Za-z0-9]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[\w-]{10,}\.[\w-]{10,}\.))"
    r"|(?P<password>\b(?:password|passwd|pwd)\s*[=:]\s*[^\s{}$*?]+)",
    re.IGNORECASE,
)
_AWS_SECRET_KEY = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/]{40}\Z")
_DESCRIPTIONS = {
    "key": "an access key of AWS",
    "private": "a private key",
    "url": "a password in a URL",
    "token": "an access token",
    "password": "a password",
}
_SECRET_AFTER_KEY = re.compile(
    r"""(?im)((?:password|passwd|passphrase|pwd|secret_?key|secret_access_key|private_?key|api_?key)["']?\s*[:=]\s*)"""
    r"""("[^"\n]*"|'[^'\n]*'|[^\s,}\n]+)"""
)
MOVE_VALUE_HELP = "put it into Secrets Manager, and write the name of that secret"
MOVE_KEY_HELP = "put it into a secret of Secrets Manager, and write its name after `secret`"


def is_credential_key(key: str) -> bool:
    """Whether a key of a spec asks for a password, a token or a secret key."""
    return _CREDENTIAL_KEY.match(key.replace("-", "_")) is not None


def is_secret_variable(variable: str) -> bool:
    """Whether the value of an environment variable with this name is likely a secret, not the name of one."""
    return _SECRET_VARIABLE.match(variable) is not None


def find_secret(text: str) -> str | None:
    """Describe the secret that a text holds; None if it holds none."""
    match = _SECRET.search(text)
    return _DESCRIPTIONS[str(match.lastgroup)] if match else None


def secret_name_error(value: Any) -> SpecValueError | None:
    """The error of a value that is not the name of a secret; its message shows nothing of the value."""
    if value is None or (isinstance(value, str) and not value):
        return None
    if (
        isinstance(value, str)
        and _NAME_OF_SECRET.match(value)
        and not _AWS_SECRET_KEY.match(value)
        and not find_secret(value)
    ):
        return None
    message = "`secret` takes the name of a secret, and this is no name"
    if isinstance(value, (dict, list)) or (isinstance(value, str) and value.lstrip().startswith("{")):
        message = "`secret` takes the name of a secret, never what is in it"
    return SpecValueError(message, code="literal-secret", help=f"{MOVE_VALUE_HELP}, such as `shop/stores-db`")


def mask(text: str, spans: Iterable[Span], everywhere: bool = False) -> str:
    """Write `*` over the text in these spans; if `everywhere`, over all that looks like a secret too."""
    lines = re.split(r"(\r\n|\r|\n)", text)
    for span in spans:
        for number in range(span.line, span.end_line + 1):
            line = lines[2 * number - 2]
            start = span.column - 1 if number == span.line else 0
            end = span.end_column - 1 if number == span.end_line else len(line)
            lines[2 * number - 2] = line[:start] + "*" * (end - start) + line[end:]
    text = "".join(lines)
    if everywhere:
        text = _SECRET.sub(lambda match: "*" * len(match[0]), text)
        text = _SECRET_AFTER_KEY.sub(lambda match: match[1] + "*" * len(match[2]), text)
    return text
