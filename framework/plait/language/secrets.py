"""Find what looks like a secret in a spec, where only the names of secrets belong, so that nothing shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.document import REFERENCE, put_in, texts
from plait.language.finding import Finding
from plait.problems.problem import Problem, Span, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plait.language.source_map import KeyPath, SourceMap

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
_NAME_OF_SECRET = re.compile(r"([A-Za-z0-9/_+=.@:-]{1,2048}|(arn:[a-z0-9:-]+:secret:)?rds![A-Za-z0-9-]+)?\Z")
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
_MOVE_VALUE = "put it into Secrets Manager, and write the name of that secret"
_MOVE_VARIABLE = (
    "put the secret into Secrets Manager, and take its name from a variable such as `SHOP_SECRET`"
)


def credential_key(path: KeyPath) -> Finding | None:
    """The finding of a key that asks for a password, a token or a secret key; None for any other."""
    if not _CREDENTIAL_KEY.match(str(path[-1]).replace("-", "_")):
        return None
    help = "put it into a secret of Secrets Manager, and write its name after `secret`"
    return Finding(path, f"a spec holds no {excerpt(path[-1])}", help, code="literal-secret", at="key")


def secret_in_text(path: KeyPath, text: str) -> Iterator[Finding]:
    """The finding of a text that holds a secret."""
    if match := _SECRET.search(text):
        message = f"this text holds {_DESCRIPTIONS[str(match.lastgroup)]}"
        yield Finding(path, message, _MOVE_VALUE, code="literal-secret")


def check_secrets(document: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Finding]:
    """The problem of each text that holds a secret; `values` are those of the parameters."""
    for path, text in texts(document, ()):
        yield from secret_in_text(path, text)
        if path[:1] == ("parameters",) and path[2:] == ("env",) and _SECRET_VARIABLE.match(text):
            message = f"{excerpt(text)} holds a secret, and the values of parameters are shown"
            yield Finding(path, message, _MOVE_VARIABLE, code="literal-secret", at="key")
    sources = document.get("sources")
    blocks: dict[KeyPath, Any] = {("sink",): document.get("sink")}
    blocks |= {("sources", name): sources[name] for name in sources} if isinstance(sources, dict) else {}
    for path, block in blocks.items():
        name = block.get("secret") if isinstance(block, dict) else None
        value = put_in({"secret": name}, values)["secret"]
        value = REFERENCE.sub("x", value) if isinstance(value, str) else value
        if value is not None and not _is_name_of_secret(value):
            takes = "`secret` takes the name of a secret, and this is no name"
            if isinstance(value, (dict, list)) or str(value).lstrip().startswith("{"):
                takes = "`secret` takes the name of a secret, never what is in it"
            place = _place_of_default(document, name) or (*path, "secret")
            yield Finding(place, takes, f"{_MOVE_VALUE}, such as `shop/stores-db`", code="literal-secret")


def _is_name_of_secret(value: Any) -> bool:
    is_name = isinstance(value, str) and _NAME_OF_SECRET.match(value) is not None
    return is_name and not _AWS_SECRET_KEY.match(value) and not _SECRET.search(value)


def _place_of_default(document: Mapping[str, Any], text: Any) -> KeyPath | None:
    """Where the default of the parameter stands that a text names and consists of."""
    reference = re.fullmatch(r"\$\{([^{}]*)\}", text) if isinstance(text, str) else None
    parameters = document.get("parameters")
    block = parameters.get(reference[1]) if reference and isinstance(parameters, dict) else None
    return (
        ("parameters", reference[1], "default")
        if reference and isinstance(block, dict) and "default" in block
        else None
    )


def secret_spans(problems: Iterable[Problem], source_map: SourceMap) -> set[Span]:
    """The places of the secrets that problems are about: the value itself, or that of the key."""
    keys = {span: path for path, span in source_map.key_spans.items()}
    spans = set()
    for problem in problems:
        if problem.code == "literal-secret" and problem.span:
            path = keys.get(problem.span, ())
            path = (*path[:-1], "default") if path[:1] == ("parameters",) and path[-1] == "env" else path
            spans.add(source_map.value_spans.get(path) if path else problem.span)
    return {span for span in spans if span}


def mask(text: str, spans: Iterable[Span]) -> str:
    """Write `*` over the text in these spans, and over all that looks like a secret."""
    lines = re.split(r"(\r\n|\r|\n)", text)
    for span in spans:
        for number in range(span.line, span.end_line + 1):
            line = lines[2 * number - 2]
            start = span.column - 1 if number == span.line else 0
            end = span.end_column - 1 if number == span.end_line else len(line)
            lines[2 * number - 2] = line[:start] + "*" * (end - start) + line[end:]
    text = _SECRET.sub(lambda match: "*" * len(match[0]), "".join(lines))
    return _SECRET_AFTER_KEY.sub(lambda match: match[1] + "*" * len(match[2]), text)
