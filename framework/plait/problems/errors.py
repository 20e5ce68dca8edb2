"""Errors, grouped by what the caller can do."""

from __future__ import annotations


class PlaitError(Exception):
    """Something that a user can be told in one line; `help` proposes one thing to do."""

    code = "failed"

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = self.bare = message
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


class IncompatibleTypes(GiveUp):
    """Values found without declared columns that do not fit together; those of fewer objects may.

    `kinds` are the types of the `field`, by driving record, where the driving source brought it.
    """

    def __init__(self, message: str, *, field: str, code: str, help: str) -> None:
        super().__init__(message, code=code, help=help)
        self.field = field
        self.kinds: tuple[str, ...] = ()


class BadRecord(PlaitError):
    """This record alone cannot become a row; plait puts in the `source` that is to blame.

    The `message` goes to the quarantine, beside the record. `bare` is the same without any value of the record, for
    the report and the log; left out, the message has none.
    """

    code = "bad-record"
    source: str | None = None

    def __init__(
        self, message: str, *, code: str | None = None, help: str | None = None, bare: str | None = None
    ) -> None:
        super().__init__(message, code=code, help=help)
        self.bare = bare or message


class SpecValueError(ValueError):
    """A text of the spec is not what its key takes; `part` is the piece of it that is wrong."""

    def __init__(
        self, message: str, *, code: str = "wrong-value", help: str | None = None, part: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.help, self.part = code, help, part


class InternalError(Exception):
    """A bug, told without its own text, which may hold a value."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"a bug of plait or of a connector: {type(error).__name__}; see the trace")
