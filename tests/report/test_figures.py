from __future__ import annotations

import re
from importlib import resources
from xml.etree import ElementTree

import numpy as np
import pytest

from avsieve.report import det, figures
from avsieve.report import similarity_map as maps
from avsieve.report.errors import error_rows
from avsieve.report.similarity_map import similarity_map

from .made_up import make_comparison, make_decisions, make_results, make_truth

STYLE = resources.files("avsieve.report").joinpath("templates/style.css").read_text(encoding="utf-8")
DECISIONS = make_decisions()
RESULTS, GAINS, CURVES = make_results()
DRAWN = {
    "points": lambda: similarity_map(DECISIONS, make_truth(DECISIONS)),
    "cells": lambda: similarity_map(DECISIONS, None, points=10),
    "histograms": lambda: figures.similarity_histograms(DECISIONS),
    "probabilities": lambda: figures.probability_histogram(DECISIONS),
    "errors": lambda: figures.error_bars(error_rows(RESULTS, GAINS)),
    "det": lambda: det.det_curves(CURVES),
    "arms": lambda: det.arm_curves(make_comparison()[1]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_equal_input_gives_equal_bytes_that_are_one_svg_for_all_colours(name: str) -> None:
    svg = DRAWN[name]()
    assert svg == DRAWN[name]()
    head = re.match(r"<svg[^>]*>", svg)
    assert head
    assert 'role="img"' in head.group(0)
    assert not re.search(r"\s(width|height)=", head.group(0))
    assert "viewBox" in head.group(0)
    assert "currentColor" in svg
    assert figures.INK not in svg
    # The links of SVG itself are declared by matplotlib's header, which is cut off.
    ElementTree.fromstring(svg)


def test_what_a_figure_shows_is_told_to_those_who_cannot_see_it() -> None:
    svg = figures.draw(lambda figure: None, 2, 1, 'Faces & "voices" <b>')
    assert 'aria-label="Faces &amp; &quot;voices&quot; &lt;b&gt;"' in svg


def test_a_modality_that_nobody_has_leaves_a_word_in_its_place() -> None:
    assert "no face" in figures.similarity_histograms(DECISIONS.assign(visual_similarity=np.nan))


def test_decisions_against_the_truth_have_a_ring_of_their_own() -> None:
    truth = make_truth(DECISIONS)
    flipped = truth.assign(kind=np.where(truth.index == 0, "video_swap", truth["kind"]))
    rings = [re.search(r"against the truth \((\d+)\)", similarity_map(DECISIONS, t)) for t in (truth, flipped, None)]
    assert rings[2] is None
    assert rings[0] is None or int(rings[1][1]) != int(rings[0][1])


def test_models_are_labelled_and_arms_that_a_model_lacks_are_not_in_the_legend() -> None:
    rows = error_rows(RESULTS[RESULTS["model"] == "gated"], GAINS)
    svg = figures.error_bars(rows)
    assert "gated fusion" in svg
    assert "trained on the cleansed list" in svg
    assert "not trained" not in svg


def test_a_rate_of_nothing_lies_on_the_edge_of_a_det_plot() -> None:
    assert "nan" not in det.det_curves(CURVES.assign(fnr=0.0)).lower()


def contrast(colour: tuple[float, ...], paper: str) -> float:
    """Return the contrast of two colours by WCAG 2."""
    bright = []
    for channels in (colour[:3], [int(paper[at : at + 2], 16) / 255 for at in (1, 3, 5)]):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        bright.append(float(np.dot([0.2126, 0.7152, 0.0722], linear)))
    return (max(bright) + 0.05) / (min(bright) + 0.05)


@pytest.mark.parametrize("name", ["_COUNTS", "_SHARES"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_cells_can_be_told_from_light_and_from_dark_paper(name: str, share: float) -> None:
    papers = re.findall(r"--paper: (#\w{6})", STYLE)
    assert len(papers) == 2
    for paper in papers:
        assert contrast(getattr(maps, name)(share), paper) > 1.9, paper


def test_what_is_flagged_is_hatched_and_arms_have_signs_of_their_own() -> None:
    assert figures.similarity_histograms(DECISIONS).count("<pattern") == 2  # voice and face
    assert len(set(figures.ARM_SIGNS.values())) == len(figures.ARM_COLOURS) == len(figures.ARM_SIGNS)
