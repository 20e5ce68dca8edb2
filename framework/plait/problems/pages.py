"""The page of each problem code: what it means, and a piece of a spec with the mistake and its cure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PAGES = Path(__file__).with_name("pages.md")
_PAGE = re.compile(r"(?:^# ([^\n]+)\n\n)?^## (\S+)\n(.+?)^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"\s+# (wrong|right)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a code; of its `example`, lines marked as wrong or right belong to one of two variants."""

    chapter: str
    code: str
    meaning: str
    language: str
    example: str

    @property
    def summary(self) -> str:
        """The first sentence of the meaning, on one line."""
        return re.split(r"(?<=\.)\s", " ".join(self.meaning.split()), maxsplit=1)[0]

    def variant(self, mark: str) -> str:
        """The lines of the example that have this mark, and those that have none."""
        lines = ((_MARK.search(line), line) for line in self.example.splitlines())
        return "\n".join(_MARK.sub("", line) for match, line in lines if match is None or match[1] == mark)


@cache
def pages() -> dict[str, Page]:
    """All pages by their codes, chapter by chapter."""
    by_code: dict[str, Page] = {}
    chapter = ""
    for heading, code, meaning, language, example in _PAGE.findall(_PAGES.read_text("utf-8")):
        chapter = heading or chapter
        by_code[code] = Page(chapter, code, meaning.strip(), language, example)
    return by_code
