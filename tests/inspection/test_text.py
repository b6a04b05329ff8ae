from __future__ import annotations

import math

from avsieve.inspection.text import columns, fact, paragraph, percent, probability, section


def test_columns_are_aligned_and_nothing_trails() -> None:
    lines = columns(("name", "count", "words"), [("a", 1234, "x y"), ("longer", None, "")], left=(0, 2))
    assert lines == ["name    count  words", "a       1,234  x y", "longer      -"]
    assert columns(("name",), []) == []


def test_a_fact_is_one_line_with_its_value_at_one_place() -> None:
    lines = [fact("utterances", 1092009, "in all"), fact("hours", "2.5")]
    assert [line.split() for line in lines] == [["utterances", "1,092,009", "in", "all"], ["hours", "2.5"]]
    assert lines[0].index("1,092,009") + 9 == lines[1].index("2.5") + 3


def test_sections_without_lines_are_left_out() -> None:
    assert section("title", []) == []
    assert section("title", ["a"]) == ["", "title:", "  a"]


def test_values_that_are_not_known_are_dashes() -> None:
    assert [percent(None), percent(math.nan), probability(None), probability(math.nan)] == ["-"] * 4
    assert (percent(0.1234), probability(0.5)) == ("12.3 %", "0.500")


def test_prose_fits_a_terminal_and_names_stay_whole() -> None:
    name = "x" * 90
    lines = paragraph(f"{'word ' * 40}{name} end")
    assert name in lines
    assert all(len(line) <= 80 for line in lines if line != name)
