from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from avsieve.report.figure import OF_A_LIST, PLACES, ReportFigure
from avsieve.report.page import render_page
from avsieve.report.registry import FIGURES
from avsieve.report.run import Run
from avsieve.storage import paths as P

from .made_up import make_decisions, make_results, make_summary

OWN = ReportFigure(
    "similarities",
    lambda run: f"<svg><!-- {len(run.decisions)} --></svg>",
    {"results/own.csv": "x"},
    words="Of one's own.",
)
NONE = ReportFigure("similarities", lambda run: None, {}, words="Not to be seen.")


def a_run() -> Run:
    decisions = make_decisions()
    results, gains, curves = make_results()
    return Run(decisions=decisions, summary=make_summary(decisions), results=results, gains=gains, curves=curves)


def test_every_figure_has_a_place() -> None:
    assert {figure.place for figure in FIGURES.values()} == set(PLACES)


def test_every_figure_says_in_which_file_of_the_run_its_data_lie() -> None:
    known = {path for group in (P.lists, P.evaluation, P.comparison) for path in vars(group).values()}
    for name, figure in FIGURES.items():
        assert figure.data, name
        assert set(figure.data) <= known, name
    run = a_run()
    page = render_page(replace(run, folder="runs/one"))
    drawn = [f for f in FIGURES.values() if f.draw(run.evaluated[0] if f.place in OF_A_LIST else run) is not None]
    for figure in drawn:
        for path, columns in figure.data.items():
            assert f"<code>runs/one/{path.removeprefix('results/')}</code> ({columns})" in page


def test_a_figure_is_a_module_and_a_line_of_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIGURES._entries, "own", f"{__name__}:OWN")
    monkeypatch.setitem(FIGURES._entries, "none", f"{__name__}:NONE")
    assert __name__ in sys.modules
    page = render_page(a_run())
    box = '<div class="plot" tabindex="0" role="group" aria-label="figure">'
    assert f"<p>Of one&#39;s own.</p>{box}<svg><!-- 48 --></svg></div>" in page
    assert "Data: <code>results/own.csv</code> (x)" in page
    assert "Not to be seen" not in page


def test_a_figure_that_has_nothing_to_show_is_left_out() -> None:
    run = a_run()
    of_run = {name: figure for name, figure in FIGURES.items() if figure.place not in OF_A_LIST}
    assert {name for name, figure in of_run.items() if figure.draw(run) is not None} == set(of_run) - {
        "gain_bars", "arm_curves",
    }  # fmt: skip
    (item,) = run.evaluated
    of_list = {name: figure for name, figure in FIGURES.items() if figure.place in OF_A_LIST}
    assert {name for name, figure in of_list.items() if figure.draw(item) is not None} == {"error_bars", "det_curves"}
    bare = Run(decisions=run.decisions.head(0), summary=run.summary)
    assert not [name for name, figure in of_run.items() if figure.draw(bare) is not None]
