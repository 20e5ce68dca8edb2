"""Errors, grouped by what the caller can do."""

from __future__ import annotations


class PlaitError(Exception):
    """Something that a user can be told in one line; `help` proposes one thing to do."""

    code = "failed"

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.help = help


class TryAgain(PlaitError):
    """The same work may succeed later: throttled, timed out, not there yet."""

    code = "try-again"


class Changed(TryAgain):
    """The driving object is another one than was read, so its rows must be made anew."""

    code = "object-changed"


class GiveUp(PlaitError):
    """Trying again cannot help: denied, not found, misconfigured."""

    code = "give-up"


class BadRecord(PlaitError):
    """This record alone cannot become a row; plait puts in the `source` that is to blame."""

    code = "bad-record"
    source: str | None = None


class Unexpected(Exception):
    """A bug, told without its own text, which may hold a value."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"a bug of plait or of a connector: {type(error).__name__}; see the trace")
