import pandas as pd

from avsieve.report.comparison import comparison_rows, comparison_text
from avsieve.report.page import render_page
from avsieve.report.run import Run

from .made_up import make_comparison, make_decisions, make_results, make_summary

FACTS, CURVES = make_comparison()


def test_the_text_gives_both_lists_the_gain_and_whether_it_shows():
    text = comparison_text(FACTS, FACTS["gains"])
    assert "(480 utterances) and on the cleansed one (286)" in text
    voice, normalised, face = [line for line in text.splitlines() if " encoder" in line]
    assert voice.split() == [
        "voice",
        "encoder",
        "25.00",
        "15.00",
        "10.00",
        "6.00",
        "to",
        "14.00",
        "3",
        "of",
        "3",
        "the",
        "gain",
        "shows",
    ]
    assert normalised.startswith("voice encoder, AS-norm")
    assert face.endswith("no difference shown")
    assert "too narrow" in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_verdict_follows_the_interval():
    row = FACTS["gains"][0]
    bounds = [(0.01, 0.02), (-0.02, -0.01), (-0.01, 0.01), (None, None)]
    rows = comparison_rows([row | {"eer_gain_low": low, "eer_gain_high": high} for low, high in bounds])
    assert [r["verdict"] for r in rows] == ["better", "worse", "open", "none"]


def test_the_page_has_a_section_of_the_comparison_where_there_is_one():
    decisions = make_decisions()
    run = {"decisions": decisions, "summary": make_summary(decisions)}
    page = render_page(Run(**run, comparison=FACTS, comparison_curves=CURVES))
    assert '<section id="compared">' in page
    first = page.split('id="flagged"')[0].replace("\N{NO-BREAK SPACE}", " ")
    told = (
        "Voice encoder, trained anew on all and on the cleansed list: EER 25.00 and 15.00 %. The gain is 10.00 points,"
    )
    assert f"{told} 95 % interval 6.00 to 14.00 points: the gain shows." in first
    assert "The gain is 1.00 points, 95 % interval -1.00 to 3.00 points: no difference shown." in first
    assert "AS-norm" not in first
    assert "3 of 3" in page
    assert 'id="compared"' not in render_page(Run(**run))


def test_other_ways_of_scoring_have_a_table_and_leave_the_main_one_alone():
    results, gains, curves = make_results()
    plain = results.assign(protocol="full", scores="raw")
    other = plain[(plain["model"] == "audio") & (plain["condition"] == "whole")]
    more = [other.assign(scores="as_norm", eer=0.0711), other.assign(protocol="segments", eer=0.0933)]
    decisions = make_decisions()
    run = {"decisions": decisions, "summary": make_summary(decisions), "gains": gains, "curves": curves}
    page = render_page(Run(**run, results=pd.concat([plain, *more], ignore_index=True)))
    assert "Other ways of scoring" in page
    main, ways = page.split("Other ways of scoring")
    assert "7.11" not in main.split('id="worth"')[1]
    assert "7.11" in ways
    assert "9.33" in ways
    assert "Other ways" not in render_page(Run(**run, results=plain))
