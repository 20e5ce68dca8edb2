"""Ten thousand texts that are hard to ask a database for, and the tables that hold half of them."""

from __future__ import annotations

import random

FRAGMENTS = (
    "a", "A", "á", "a\u0301", "Å", "ß", "ss", "ﬁ", "fi", "İ", "i", "ı", "Ω", "ω", "я", "𐍈", "😀", "👨‍👩‍👧", "\uffff",
    " ", "  ", "\t", "\n", "\r", "\0", "\b", "\x1a", "\u200b", "\u202e", "\ufeff",
    "'", '"', "`", "\\", "\\'", "%", "%s", "%(x)s", "_", "--", "#", "/*", "*/", ";", "(", ")", ",",
    "NULL", "0", "1", "01", "1.0", "1e0", "true", "' OR 1=1 -- ", "'; DROP TABLE k; -- ",
)  # fmt: skip
COLLATIONS = (
    "utf8mb4_general_ci",
    "utf8mb4_bin",
    "utf8mb4_unicode_nopad_ci",
    "utf8mb3_general_ci",
    "latin1_swedish_ci",
    "utf16_general_ci",
)


def hostile_texts(number: int = 10_000) -> list[str]:
    """Distinct texts, the empty one and some of the longest that a column can hold among them."""
    chance = random.Random(7)
    texts = {"": None, **{"'" * (60_000 + n): None for n in range(5)}, **dict.fromkeys(FRAGMENTS)}
    while len(texts) < number:
        texts["".join(chance.choices(FRAGMENTS, k=chance.randint(1, 6)))] = None
    return [*texts]
