"""The errors of plait, grouped by what the caller can do about them."""

from __future__ import annotations

from itertools import chain

MAX_FAULTS = 100  # of one record


class PlaitError(Exception):
    """A failure that one line can tell a user; `help` proposes one thing to do, `note` says where or until when it holds."""

    code = "failed"
    note: str | None = None

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = self.bare = message
        self.code = code or self.code
        self.help = help

    @property
    def faults(self) -> tuple[PlaitError, ...]:
        """All that is to be told: of a bad record each of its faults."""
        return (self,)

    @property
    def cell(self) -> str | None:
        """The source and column of a record's fault."""
        return None


class TryAgain(PlaitError):
    """The same work may succeed later: throttled, timed out, not there yet."""

    code = "try-again"


class ObjectChanged(TryAgain):
    """An object is another version than the one that was read, so what was made of it must be made again."""

    code = "object-changed"


class GiveUp(PlaitError):
    """Trying again cannot help: denied, not found, misconfigured."""

    code = "give-up"


class BadRecord(PlaitError):
    """This record alone cannot become a row; plait sets the `source` that is to blame, and the `column`.

    The column is that of the source, or the place that cannot be decoded.
    The `message` goes to the quarantine, beside the record. `bare` is the same without any value of the record, for
    the report and the log; where it is left out, the message has no value of the record in it.
    """

    code = "bad-record"
    source: str | None = None
    others: tuple[BadRecord, ...] = ()  # further faults of the record
    has_more: bool = False  # faults than these

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        help: str | None = None,
        bare: str | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__(message, code=code, help=help)
        self.bare, self.column = bare or message, column

    @property
    def faults(self) -> tuple[BadRecord, ...]:
        """The faults of the record, this one first, a hundred at most."""
        return self, *self.others

    @property
    def cell(self) -> str | None:
        """The source and column of this fault; None if it is of no column."""
        return f"{self.source or ''}.{self.column}" if self.column else None

    def beside(self, *others: BadRecord) -> BadRecord:
        """This fault with all others of its record, each kind once."""
        kinds: dict[tuple[str | None, ...], BadRecord] = {}
        for fault in (*self.faults, *chain.from_iterable(other.faults for other in others)):
            kinds.setdefault((fault.code, fault.source, fault.column, fault.bare), fault)
        _, *further = kinds.values()
        error = BadRecord(self.message, code=self.code, help=self.help, bare=self.bare, column=self.column)
        error.source, error.others = self.source, tuple(further[: MAX_FAULTS - 1])
        error.has_more = len(further) >= MAX_FAULTS or any(fault.has_more for fault in (self, *others))
        return error


class KeyFailed(BadRecord):
    """What a single key of a look-up names cannot be read, by this error: the objects that ask for it fail or come again."""

    def __init__(self, error: PlaitError) -> None:
        super().__init__(error.message, code=error.code, help=error.help)
        self.error = error


class SpecValueError(ValueError):
    """A text of the spec is not what its key takes.

    `part` is the piece of it that is wrong, `path` the keys and positions that lead to the text, `words` what could
    stand in place of the part, of which `suggest` proposes the nearest.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "wrong-value",
        help: str | None = None,
        part: str | None = None,
        words: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code, self.help, self.part, self.words = code, help, part, words
        self.path: tuple[str | int, ...] = ()
        self.note: str | None = None


class InternalError(Exception):
    """A bug of plait or a connector; the text of the error is left out, since it may hold a value of a record."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"a bug of plait or of a connector: {type(error).__name__}; see the trace")
