"""The options of the connector `csv`: where files are, and how they are written."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta
from msgspec.structs import force_setattr

from plait.plugin import LookupPath, Options


class Delimiter(str):
    """The character between two fields."""

    __slots__ = ()
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": r"^[\t\x20-\x21\x23-\x7e]$",
        "patternErrorMessage": "one character of ASCII such as `;`, and no quote",
        "examples": [",", ";", "|"],
    }

    @classmethod
    def parse(cls, text: str) -> Delimiter:
        """Read a delimiter; raises ValueError for a character that lines and quotes need themselves."""
        if len(text) != 1 or not text.isascii() or text in '\0"\r\n':
            raise ValueError("a delimiter is one character of ASCII such as `;`, and no quote")
        return cls(text)


class Mark(str):
    """The character of quotes, or the one that escapes another; the empty text is none."""

    __slots__ = ()
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": r"^[\x21-\x7e]?$",
        "patternErrorMessage": "one visible character of ASCII, or an empty text for none",
        "examples": ["\\", "'", ""],
    }

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Read a mark; raises ValueError for more than one character, or one that nobody sees."""
        if len(text) > 1 or not (text.isascii() and text.isprintable()) or text == " ":
            raise ValueError("a quote or an escape is one visible character of ASCII, or an empty text")
        return cls(text)


class CsvOptions(Options, frozen=True, kw_only=True):
    """Options of the connector `csv`."""

    path: Annotated[
        LookupPath,
        Meta(description="the file of a row, such as `s3://shop-raw/items/{transaction_id}.csv`"),
    ]
    delimiter: Annotated[Delimiter, Meta(description="the character between two fields")] = Delimiter(",")
    quote: Annotated[Mark, Meta(description="the character around a field; an empty text for none")] = Mark(
        '"'
    )
    escape: Annotated[
        Mark, Meta(description="the character before one that means itself; a quote may be doubled as well")
    ] = Mark("")
    null: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(description="words that are null where no quotes stand around them", examples=[["NA", "\\N"]]),
    ] = ()
    header: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(
            description="the names of the fields, for files that do not begin with them",
            examples=[["sku", "quantity"]],
            min_length=1,
            extra_json_schema={"uniqueItems": True},
        ),
    ] = ()
    skip: Annotated[int, Meta(ge=0, description="lines before the header, or before the first row")] = 0
    max_bytes: Annotated[int, Meta(ge=1, description="a larger file is a bad record")] = 64 * 1024 * 1024
    max_rows: Annotated[int, Meta(ge=1, description="a file with more rows is a bad record")] = 100_000

    def __post_init__(self) -> None:
        """Raise ValueError where a character or a word means two things; a quote is doubled without an escape too."""
        if self.escape == self.quote:
            force_setattr(self, "escape", Mark(""))
        if str(self.delimiter) in (self.quote, self.escape):
            raise ValueError("the delimiter is another character than `quote` and `escape`")
        for word in self.null:
            if self.delimiter in word or (self.escape and self.escape in word):
                raise ValueError(
                    f"no field is the `null` word `{word[:40]}`, which has the delimiter or the escape in it"
                )
