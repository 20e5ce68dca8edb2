"""What the errors of AWS mean, as one table: whether trying again may help, our code for it, and what to do."""

from __future__ import annotations

import re
from contextlib import contextmanager
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

from plait.problems.errors import GiveUp, PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class ErrorMeaning(NamedTuple):
    """What follows of an error: our code for it, the one thing to do, and how to say it where no service says a word.

    In `help`, `{action}` is what IAM calls the call.
    """

    kind: type[TryAgain | GiveUp]
    code: str
    help: str | None = None
    word: str = ""


DENIED = ErrorMeaning(GiveUp, "denied", "allow the role `{action}` on it")
THROTTLED = ErrorMeaning(TryAgain, "throttled", "where it happens often, ask AWS for a higher quota")
UNAVAILABLE = ErrorMeaning(TryAgain, "unavailable")
UNANSWERED = ErrorMeaning(TryAgain, "no-answer", word="no answer")
STUCK = ErrorMeaning(TryAgain, "unreadable-answer", word="the same token for more pages came twice")
UNREADABLE = ErrorMeaning(TryAgain, "unreadable-answer", word="the answer is cut, or not the service's")
CREDENTIALS = ErrorMeaning(
    GiveUp, "wrong-credentials", "check the credentials and the region", "no credentials"
)
ABSENT = ErrorMeaning(GiveUp, "not-found", "check its name, the account and the region")
WRONG = ErrorMeaning(
    GiveUp, "wrong-request", "check the options of the source", "no call can be made of its options"
)
DAMAGED = ErrorMeaning(TryAgain, "damaged", "where it happens often, look at what stands between here and S3")
REGION = ErrorMeaning(GiveUp, "wrong-region", "the bucket is in another region: set AWS_REGION to it")
SETTINGS = ErrorMeaning(
    GiveUp,
    "wrong-settings",
    "check what is set of AWS in the environment and the profile",
    "its settings are wrong",
)

# Parts of the code that a service gives; the first that fits.
CODES = {
    "Throttl": THROTTLED,
    "TooManyRequests": THROTTLED,
    "LimitExceeded": THROTTLED,
    "ThroughputExceeded": THROTTLED,
    "SlowDown": THROTTLED,
    "RequestTimeout": UNAVAILABLE,
    "Internal": UNAVAILABLE,
    "Unavailable": UNAVAILABLE,
    "OperationAborted": UNAVAILABLE,
    "ConditionalRequestConflict": UNAVAILABLE,
    "ExpiredToken": ErrorMeaning(TryAgain, "expired-credentials", "renew the credentials"),
    "NoSuchBucket": ErrorMeaning(GiveUp, "not-found", "check the bucket's name and the account"),
    "ResourceNotFound": ABSENT,
    "BadDigest": DAMAGED,
    "SHA256Mismatch": DAMAGED,
    "ChecksumMismatch": DAMAGED,
    "PermanentRedirect": REGION,
    "AuthorizationHeaderMalformed": REGION,
    "IllegalLocationConstraint": REGION,
    "AccessControlList": ErrorMeaning(
        GiveUp,
        "no-access-lists",
        "the bucket takes no access lists: set none, and allow the role by a policy",
    ),
    "AllAccessDisabled": ErrorMeaning(GiveUp, "disabled", "the bucket's account is disabled: ask its owner"),
    "MethodNotAllowed": ErrorMeaning(
        GiveUp, "not-allowed", "the bucket refuses it to everyone: write into another"
    ),
    "InvalidObjectState": ErrorMeaning(
        GiveUp, "archived", "the object is archived: restore it, then send its event again"
    ),
    "KMS.Disabled": ErrorMeaning(GiveUp, "key-disabled", "enable the key that encrypts the object"),
    "AccessDenied": DENIED,
    "UnauthorizedOperation": DENIED,
    "UnrecognizedClient": CREDENTIALS,
    "InvalidAccessKey": CREDENTIALS,
    "InvalidClientToken": CREDENTIALS,
    "InvalidSignature": CREDENTIALS,
    "SignatureDoesNotMatch": CREDENTIALS,
}
# Where the code says nothing, the status does.
STATUSES = {401: CREDENTIALS, 403: DENIED, 404: ABSENT, 408: UNAVAILABLE, 409: UNAVAILABLE, 429: THROTTLED}
# Where no service said anything, the name of what the client raises does.
NAMES = {
    "UnreadableAnswer": UNREADABLE,
    "UnicodeDecodeError": UNREADABLE,
    "ResponseParserError": UNREADABLE,
    "PaginationError": STUCK,
    "ConnectionError": UNANSWERED,
    "HTTPClientError": UNANSWERED,
    "IncompleteReadError": UNANSWERED,
    "GenericError": UNANSWERED,
    "JoinError": UNANSWERED,
    "OSError": UNANSWERED,
    "NoRegionError": ErrorMeaning(GiveUp, "no-region", "set AWS_REGION", "no region is set"),
    "ProfileNotFound": ErrorMeaning(
        GiveUp, "wrong-credentials", "check AWS_PROFILE", "there is no such profile"
    ),
    "ParamValidationError": WRONG,
    **dict.fromkeys(
        (
            "InvalidRegionError",
            "InvalidConfigError",
            "InvalidDefaultsMode",
            "InvalidChecksumConfigError",
            "InvalidRetryConfigurationError",
            "InvalidSTSRegionalEndpointsConfigError",
        ),
        SETTINGS,
    ),
    "BotoCoreError": CREDENTIALS,
}
# What IAM calls it where the operation has another name.
ACTIONS = {
    "s3:GET": "s3:GetObject",
    "s3:HEAD": "s3:GetObject",
    "s3:PUT": "s3:PutObject",
    "s3:DELETE": "s3:DeleteObject",
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}


class UnreadableAnswer(Exception):
    """An answer was cut, or is not the service's."""


def reason(error: BaseException) -> tuple[str, int]:
    """The service's error code and HTTP status, `("", 0)` where no answer came."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return ("" if code.isdigit() else code), status
    if "redirect without LOCATION" in str(error):
        return "PermanentRedirect", 301
    answer = str(error).partition("Server returned")[2]
    found = re.search(r"<Code>([\w.]+)</Code>", answer)
    number = re.search(r"status code: (\d+)", answer)
    return (found[1] if found else ""), (int(number[1]) if number else 0)


def meaning(error: BaseException) -> ErrorMeaning | None:
    """What an error of a client of AWS means; None where it is none of theirs, but a bug."""
    code, status = reason(error)
    for part, found in CODES.items():
        if part in code:
            return found
    if status:
        return UNAVAILABLE if status >= 500 else STATUSES.get(status, WRONG)
    names = (cls.__name__ for cls in type(error).__mro__)
    return next((NAMES[name] for name in names if name in NAMES), None)


def told(
    error: BaseException, what: str, *, service: str, helps: Mapping[str, str] | None = None
) -> PlaitError | None:
    """An error of a client of AWS in our words, None for a bug; `helps`, by our code, know better what to do.

    `what` was used, such as "table `orders`", and `service` is the service's word in IAM. Nothing of the client's own
    text is repeated, and of the service's answer no more than its code and its message.
    """
    found = meaning(error)
    if found is None:
        return None
    code, status = reason(error)
    said = ": ".join(filter(None, (code or str(status or ""), _text(error)))) or found.word
    verb = "cannot be reached now" if found.kind is TryAgain else "cannot be used"
    help = (helps or {}).get(found.code, found.help)
    return found.kind(
        f"{what} {verb}: {said}",
        code=found.code,
        help=help and help.replace("{action}", _action(error, service)),
    )


def _text(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        text = str(response.get("Error", {}).get("Message", ""))
    else:
        found = re.search(r"<Message>([^<]*)</Message>", str(error).partition("Server returned")[2])
        text = unescape(found[1]) if found else ""
    return " ".join(text.split())[:200]


def _action(error: BaseException, service: str) -> str:
    method = re.search(r"Error performing ([A-Z]+)", str(error))
    name = getattr(error, "operation_name", None) or (method[1] if method else "")
    return ACTIONS.get(f"{service}:{name}", f"{service}:{name}")


@contextmanager
def calling(what: str, *, service: str, helps: Mapping[str, str] | None = None) -> Iterator[None]:
    """Within, errors of a client of AWS become TryAgain or GiveUp in our words; `told` says what is passed."""
    try:
        yield
    except PlaitError:
        raise
    except Exception as error:
        known = told(error, what, service=service, helps=helps)
        if known is None:
            raise
        raise known from error
