from __future__ import annotations

from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.report.page import render_page
from avsieve.report.rounds import rounds_page
from avsieve.report.run import Run
from avsieve.rounds.compare_files import compare_rounds
from tests.rounds.made_up import make_files

from .made_up import make_decisions, make_summary

QUICK = Cleansing(method="fixed_threshold", options={"thresholds": [0.4]})


def test_the_page_has_a_section_of_the_rounds_where_there_are_any(tmp_path):
    files, truth = make_files(tmp_path)
    facts = compare_rounds(files, [], Audit(rate=0.2), QUICK, truth=truth, replicates=5).facts
    found = rounds_page(facts)
    assert [(row["round"], row["by"]) for row in found.measured] == [
        ("1", "truth"), ("1", "audit"), ("2", "truth"), ("2", "audit"),
    ]  # fmt: skip
    wrong = int((truth["kind"] != "clean").sum())
    totals = [sum(int(of["2"].split(" of ")[k]) for of in found.kinds.values()) for k in (0, 1)]
    assert totals == [wrong, wrong]
    decisions = make_decisions()
    run = {"decisions": decisions, "summary": make_summary(decisions)}
    page = render_page(Run(**run, rounds=facts))
    assert '<section id="rounds">' in page
    assert "results/rounds/2/lists/train_clean.txt" in page
    assert "it is better" in page
    assert 'id="rounds"' not in render_page(Run(**run))
