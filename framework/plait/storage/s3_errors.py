"""What errors of S3 mean, those of obstore and of botocore alike, and which requests are worth a second try."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from plait.aws.errors import DAMAGED, SETTINGS, UnreadableAnswer, code_and_status, meaning, translate
from plait.plugin import GiveUp, Missing, PlaitError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

DENIED = (
    "allow the role `{action}` on it; S3 answers so too for an object that is not there where the role may not "
    "`s3:ListBucket`, and where the requester has to pay, which is not supported"
)
PUT_DENIED = (
    "allow the role `{action}` on it; a bucket of another account has to allow it too, by its own policy"
)
LOCKED = "write into a bucket without object lock, or look at its retention"


def s3_error(uri: str, error: Exception) -> Missing | PlaitError:
    """What an error means for an object: it is missing, or one of our errors; raises the error again if it is a bug."""
    if isinstance(error, PlaitError):
        return error
    code, status = code_and_status(error)
    if (
        code in ("NoSuchKey", "KeyTooLongError")
        or (status == 404 and not code)
        or isinstance(error, UnicodeEncodeError)
    ):
        return Missing(uri)
    if "Generic Config error" in str(error):
        message = f"`{uri[:200]}` cannot be used: {SETTINGS.text}"
        return GiveUp(message, code=SETTINGS.code, help=SETTINGS.help)
    translated = translate(error, f"`{uri[:200]}`", service="s3", helps=_helps(str(error)))
    if translated is None:
        raise error
    translated.__cause__ = error
    return translated


def _helps(text: str) -> dict[str, str]:
    """What to do, by our codes, where the text of an error says more than its code."""
    if re.search("object.?lock", text, re.IGNORECASE):
        return dict.fromkeys(("denied", "wrong-request"), LOCKED)
    if action := re.search(r"\bkms:\w+", text):
        return {"denied": f"allow the role `{action[0]}` on the key that encrypts the object"}
    return {"denied": PUT_DENIED if re.search(r"performing PUT|PutObject operation", text) else DENIED}


def is_conflict(error: Exception) -> bool:
    """Whether S3 refused a conditional request because another version stands there."""
    if type(error).__name__ in ("AlreadyExistsError", "PreconditionError"):
        return True
    return code_and_status(error)[0] in ("PreconditionFailed", "ConditionalRequestConflict")


def ask_again(ask: Callable[[], T]) -> T:
    """Ask, and once more where the answer is damaged or not S3's, or none came and obstore made one try only."""
    try:
        return _catch_panic(ask)
    except Exception as error:
        unreadable = isinstance(error, UnreadableAnswer)
        untried = type(error).__name__ == "GenericError" and not re.search(r"after \d+ retries", str(error))
        damaged = meaning(error) is DAMAGED
        if not (unreadable or damaged or (untried and not code_and_status(error)[1])):
            raise
    return _catch_panic(ask)


def _catch_panic(ask: Callable[[], T]) -> T:
    """Ask; raise GiveUp if obstore panics, which no `except Exception` catches."""
    try:
        return ask()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise GiveUp("the client of S3 broke off", code=SETTINGS.code, help=SETTINGS.help) from error
