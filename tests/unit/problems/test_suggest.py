"""A mistyped word is answered by one suggestion, and only if a known word is near."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.language import keys as language
from plait.language.build.connectors import usable_connector
from plait.language.struct_fields import fields_of
from plait.plugin import Options
from plait.plugin.registry import offers
from plait.problems.suggest import help_for, nearest
from plait.values.types import FORMS

WORDS = ["cloudwatch_logs", "csv", "dynamodb", "json", "memory", "mysql", "parquet"]


@pytest.mark.parametrize(
    ("word", "words", "meant"),
    [
        ("memroy", WORDS, "memory"),
        ("cvs", WORDS, "csv"),
        ("jsno", WORDS, "json"),
        ("cloudwatch-logs", WORDS, "cloudwatch_logs"),
        ("CSV", WORDS, "csv"),
        ("Dynamo", WORDS, "dynamodb"),
        ("kee", ["key", "path"], "key"),
        ("no", ["on", "as"], "on"),
        ("form", ["from", "type"], "from"),
        ("postgres", WORDS, None),
        ("id", ["on", "as"], None),
        ("", WORDS, None),
        ("x" * 5000, WORDS, None),
        ("csv", [], None),
    ],
)
def test_nearest_is_what_was_meant_or_nothing(word: str, words: list[str], meant: str | None) -> None:
    assert nearest(word, words) == meant


UNRELATED = re.findall(
    r"\w+",
    """
    kafka postgres redis sqs kinesis snowflake oracle mongodb elastic http rest excel avro toml hello world
    limit offset where user password host port region bucket prefix suffix encoding header quote schema owner
    tags version label title comment author email schedule cron interval start stop enabled disabled true false
    yes null none everything something apple banana invoice customer product price currency country city street
    house engine spark glue athena lambda queue topic stream shard replica cluster node worker thread process
    kernel metric trace alarm budget cost tax discount refund payment shipment delivery warehouse stock supplier
    vendor brand category review rating
    """,
)


def test_an_unrelated_word_is_answered_by_no_suggestion() -> None:
    """The known words are all that a spec may have: keys, options, connectors, types and decode steps."""
    structs = [
        value for value in vars(language).values() if isinstance(value, type) and issubclass(value, Options)
    ]
    structs += [usable_connector(offer.word).options for offer in offers()]
    known = {key for struct in structs for key in fields_of(struct)}
    known |= {*WORDS, *FORMS, *language.STEPS}
    assert len(known) > 70
    assert [(word, meant) for word in UNRELATED if (meant := nearest(word, known))] == []


@pytest.mark.parametrize(
    ("word", "words", "meant"),
    [
        ("conector_s", ["connector", "columns"], "connector"),
        ("compresion_", ["compression", "connector"], "compression"),
        ("gunzip", ["gzip", "json"], "gzip"),
        ("group", ["log_group", "pattern"], "log_group"),
        ("bytes_max", ["max_bytes", "path"], "max_bytes"),
        ("desc", ["decode", "description"], "description"),
        ("label", ["table", "files"], None),
        ("refund", ["around"], None),
        ("rating", ["string"], None),
    ],
)
def test_two_letters_in_a_long_word_or_a_part_of_it_are_near(
    word: str, words: list[str], meant: str | None
) -> None:
    assert nearest(word, words) == meant


def test_a_near_word_is_proposed_alone() -> None:
    assert help_for("memroy", WORDS, "connector", "`plait connectors`") == "did you mean `memory`?"


def test_a_few_words_are_listed() -> None:
    assert help_for("zzz", ["a", "b", "c"], "word", None) == "one of `a`, `b`, `c`"


def test_where_many_words_are_listed_is_said() -> None:
    many = [f"w{i}" for i in range(9)]
    assert help_for("zzz", many, "word", "`plait words`") == "`plait words` lists them"
    assert help_for("zzz", many, "word", None).endswith("`w7` and 1 more")


def test_that_there_are_no_words_is_said() -> None:
    assert help_for("zzz", [], "source", None) == "there is no source to choose from"


def test_a_set_gives_the_same_help_each_time() -> None:
    assert help_for("zzz", {"c", "a", "b"}, "word", None) == "one of `a`, `b`, `c`"


@given(st.text(), st.lists(st.text(max_size=20)))
def test_nearest_is_one_of_the_words(word: str, words: list[str]) -> None:
    assert nearest(word, words) in {None, *words}
