"""Each check has one code and a page that says how grave it is."""

from __future__ import annotations

from plait.language.checks import CHECKS
from plait.problems.pages import pages


def test_no_code_has_two_checks() -> None:
    codes = [check.code for check in CHECKS]
    assert len(codes) == len({*codes})


def test_the_page_of_a_check_calls_it_a_warning_where_it_is_one() -> None:
    warnings = [check.code for check in CHECKS if check.level == "warning"]
    assert warnings == [
        check.code for check in CHECKS if pages()[check.code].meaning.startswith("A *warning*")
    ]
