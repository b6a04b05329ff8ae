from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from avsieve.report.damage_curves import CONDITION_CURVES, POOLED_CURVES, lines_of
from avsieve.report.errors import Evaluated
from avsieve.report.figures import INK

CONDITIONS = ("whole", "noise_5", "no_face", "pooled")
EERS = {
    ("score_average", "-"): 0.04, ("calibrated_qmf", "all"): 0.06, ("calibrated_qmf", "clean"): 0.05,
    ("evidence", "clean"): 0.03, ("evidence", "all"): 0.035, ("linear", "clean"): 0.09, ("linear", "all"): 0.02,
    ("gated", "clean"): 0.07, ("gated", "all"): 0.08, ("audio", "-"): 0.01,
}  # fmt: skip


def evaluated(eers: dict[tuple[str, str], float] | None = None, seeds: int = 2) -> Evaluated:
    rows, curves = [], []
    fpr = np.linspace(0, 1, 50)
    for condition in CONDITIONS:
        for (model, arm), eer in (EERS if eers is None else eers).items():
            for seed in range(1 if arm == "-" else seeds):
                of = {"model": model, "trained_on": arm, "condition": condition}
                rows.append(of | {"seed": seed, "eer": eer, "n_trials": 100, "n_missing": 0})
                fnr = (1 - fpr) ** (0.3 / eer)
                curves.append(pd.DataFrame(of | {"fpr": fpr, "fnr": fnr}))
    return Evaluated("", "", pd.DataFrame(rows), pd.DataFrame(), pd.concat(curves, ignore_index=True))


def shown(svg: str | None) -> str:
    assert svg is not None
    return " ".join(ElementTree.fromstring(svg).itertext())


def test_the_baselines_are_drawn_with_the_best_network_alone() -> None:
    lines = lines_of(evaluated())
    assert [(line.model, line.trained_on) for line in lines] == [
        ("evidence", "clean"), ("score_average", "-"), ("calibrated_qmf", "clean"), ("gated", "clean"),
    ]  # fmt: skip
    assert len({line.colour for line in lines}) == 4


def test_models_are_those_of_the_full_list_where_there_is_no_other() -> None:
    (line,) = lines_of(evaluated({("gated", "all"): 0.1}))
    assert (line.trained_on, line.eer) == ("all", 0.1)
    assert lines_of(evaluated({("audio", "-"): 0.1})) == []


def test_each_curve_has_its_name_and_its_figure_beside_it() -> None:
    text = shown(POOLED_CURVES.draw(evaluated()))
    for words in ("evidence, 3.00\xa0%", "score average,", "4.00\xa0%", "gated fusion, 7.00\xa0%", "5.00\xa0%"):
        assert words in text
    assert "linear" not in text
    assert "voice" not in text


def test_names_of_curves_that_end_together_do_not_overlap() -> None:
    svg = POOLED_CURVES.draw(evaluated(dict.fromkeys(EERS, 0.05)))
    assert svg is not None
    places = re.findall(r'(?: y="|translate\([\d.]+ )([\d.]+)[^>]*>[^<]*5\.00', svg)
    heights = sorted(map(float, places))
    assert len(heights) == 4
    assert min(np.diff(heights)) > 10


def test_every_condition_has_a_plot_and_the_models_their_eers() -> None:
    text = shown(CONDITION_CURVES.draw(evaluated()))
    for words in ("noise_5", "no_face", "evidence", "gated fusion", "calibrated scores with quality"):
        assert words in text
    assert text.count("3.00") == 2
    assert "pooled" not in text
    assert "whole" not in text


def test_a_condition_that_nobody_can_score_has_no_plot() -> None:
    item = evaluated()
    kept = item.curves[(item.curves["condition"] != "no_face") | (item.curves["model"] == "audio")]
    assert "no_face" not in shown(CONDITION_CURVES.draw(Evaluated("", "", item.results, curves=kept)))


@pytest.mark.parametrize("figure", [POOLED_CURVES, CONDITION_CURVES])
def test_without_damaged_trials_there_is_nothing_to_draw_and_equal_tables_give_equal_bytes(figure: object) -> None:
    draw = figure.draw  # type: ignore[attr-defined]
    item = evaluated()
    assert draw(item) == draw(item)
    assert INK not in draw(item)
    whole = [table[table["condition"] == "whole"] for table in (item.results, item.curves)]
    assert draw(Evaluated("", "", whole[0], curves=whole[1])) is None
    # Curves that were written before conditions had any.
    old = whole[1].drop(columns="condition")
    assert draw(Evaluated("", "", item.results, curves=old)) is None
    assert draw(evaluated({("audio", "-"): 0.1})) is None


def test_models_without_errors_are_drawn_on_the_edge() -> None:
    item = evaluated()
    perfect = Evaluated("", "", item.results, curves=item.curves.assign(fnr=0.0))
    for figure in (POOLED_CURVES, CONDITION_CURVES):
        svg = figure.draw(perfect)
        assert svg is not None
        assert "nan" not in svg.lower()
