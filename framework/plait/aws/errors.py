"""What the errors of AWS mean, as tables: whether trying again may help, our code for the error, and what to do."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from plait.problems.errors import GiveUp, PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class ErrorMeaning(NamedTuple):
    """What an error means: which error to raise, our code for it, and the one thing to do.

    In `help`, `{action}` is IAM's name of the call. `text` describes the error where no service sent a message. The
    clients try again what botocore tries again, and what is `retried` too.
    """

    error: type[TryAgain | GiveUp]
    code: str
    help: str | None = None
    text: str = ""
    retried: bool = False


DENIED = ErrorMeaning(GiveUp, "denied", "allow the role `{action}` on it")
THROTTLED = ErrorMeaning(TryAgain, "throttled", "where it happens often, ask AWS for a higher quota")
UNAVAILABLE = ErrorMeaning(TryAgain, "unavailable", "where it stays so, see AWS's page of its health")
CONFLICT = ErrorMeaning(TryAgain, "unavailable", retried=True)
UNANSWERED = ErrorMeaning(
    TryAgain,
    "no-answer",
    "check that its endpoint can be reached from here: network, VPC, security groups",
    "no answer",
)
STUCK = ErrorMeaning(TryAgain, "unreadable-answer", text="the same token for more pages came twice")
UNREADABLE = ErrorMeaning(TryAgain, "unreadable-answer", text="the answer is cut, or not the service's")
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

# By a part of the code that a service answers; the first that fits counts.
MEANING_OF_CODE = {
    "Throttl": THROTTLED,
    "TooManyRequests": THROTTLED,
    "LimitExceeded": THROTTLED,
    "ThroughputExceeded": THROTTLED,
    "SlowDown": THROTTLED,
    "RequestTimeout": UNAVAILABLE,
    "OperationTimeout": UNAVAILABLE,
    "Internal": UNAVAILABLE,
    "Unavailable": UNAVAILABLE,
    "OperationAborted": CONFLICT,
    "ConditionalRequestConflict": CONFLICT,
    "ExpiredToken": ErrorMeaning(TryAgain, "expired-credentials", "renew the credentials"),
    "NoSuchBucket": ErrorMeaning(GiveUp, "not-found", "check the bucket's name and the account"),
    "ResourceNotFound": ABSENT,
    "EntityNotFound": ABSENT,
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
# By the HTTP status, for answers whose code is in no table.
MEANING_OF_STATUS = {
    401: CREDENTIALS,
    403: DENIED,
    404: ABSENT,
    408: UNAVAILABLE,
    409: UNAVAILABLE,
    429: THROTTLED,
}
# By the name of the exception's class, or of a base of it, where no service answered.
MEANING_OF_CLASS = {
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
# IAM's name of a call, where the operation or the HTTP method has another.
IAM_ACTIONS = {
    "s3:GET": "s3:GetObject",
    "s3:HEAD": "s3:GetObject",
    "s3:PUT": "s3:PutObject",
    "s3:DELETE": "s3:DeleteObject",
    "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}


class UnreadableAnswer(Exception):
    """An answer was cut off, or is not the service's."""


def code_and_status(error: BaseException) -> tuple[str, int]:
    """The service's error code and HTTP status, `("", 0)` where no answer came; of botocore's or obstore's errors."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return ("" if code.isdigit() else code), status
    if "redirect without LOCATION" in str(error):
        return "PermanentRedirect", 301
    answer = str(error).partition("Server returned")[2]
    code_match = re.search(r"<Code>([\w.]+)</Code>", answer)
    status_match = re.search(r"status code: (\d+)", answer)
    return (code_match[1] if code_match else ""), (int(status_match[1]) if status_match else 0)


def meaning_of_code(code: str) -> ErrorMeaning | None:
    """What a service's error code means, None if it is in no table."""
    return next((cause for part, cause in MEANING_OF_CODE.items() if part in code), None)


def meaning(error: BaseException) -> ErrorMeaning | None:
    """What an error of a client of AWS means, or None for any other error, which is a bug."""
    code, status = code_and_status(error)
    if cause := meaning_of_code(code):
        return cause
    if status:
        return UNAVAILABLE if status >= 500 else MEANING_OF_STATUS.get(status, WRONG)
    names = (cls.__name__ for cls in type(error).__mro__)
    return next((MEANING_OF_CLASS[name] for name in names if name in MEANING_OF_CLASS), None)


def translate(
    error: BaseException, what: str, *, service: str, helps: Mapping[str, str] | None = None
) -> PlaitError | None:
    """Turn an error of a client of AWS into one of ours; None for a bug.

    `what` is what was used, such as "table `orders`"; `service` is the service's word in IAM; `helps` are better things
    to do, by our code. The message repeats nothing of the client's own text, and of the service's answer only its code
    and its message.
    """
    cause = meaning(error)
    if cause is None:
        return None
    code, status = code_and_status(error)
    reason = ": ".join(filter(None, (code or str(status or ""), _message(error)))) or cause.text
    verb = "cannot be reached now" if cause.error is TryAgain else "cannot be used"
    help = (helps or {}).get(cause.code, cause.help)
    return cause.error(
        f"{what} {verb}: {reason}",
        code=cause.code,
        help=help and help.replace("{action}", _iam_action(error, service)),
    )


def _message(error: BaseException) -> str:
    """The message that the service answered, on one line of at most 200 characters; empty where there is none."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        text = str(response.get("Error", {}).get("Message", ""))
    else:
        from html import unescape

        match = re.search(r"<Message>([^<]*)</Message>", str(error).partition("Server returned")[2])
        text = unescape(match[1]) if match else ""
    return " ".join(text.split())[:200]


def _iam_action(error: BaseException, service: str) -> str:
    """IAM's name of the call that failed, such as `s3:GetObject`."""
    method = re.search(r"Error performing ([A-Z]+)", str(error))
    name = getattr(error, "operation_name", None) or (method[1] if method else "")
    return IAM_ACTIONS.get(f"{service}:{name}", f"{service}:{name}")


@contextmanager
def calling(what: str, *, service: str, helps: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn errors of a client of AWS that are raised within into TryAgain or GiveUp, by `translate`."""
    try:
        yield
    except PlaitError:
        raise
    except Exception as error:
        translated = translate(error, what, service=service, helps=helps)
        if translated is None:
            raise
        raise translated from error
