from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avsieve.cleansing.anchors import Anchors, fit, recalibrated
from avsieve.cleansing.result import Judgement


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def log_odds(p):
    return np.log(p) - np.log1p(-p)


def judged(z) -> Judgement:
    """Return a judgement of voices alone, with these log odds."""
    p = sigmoid(np.asarray(z, float))
    return Judgement(p, np.full(len(p), np.nan), p.copy(), calibrated=True)


def anchored(rows, wrong, video=None) -> Anchors:
    found = np.asarray(wrong, float)
    video = np.arange(len(found)) if video is None else np.asarray(video)
    return Anchors(np.asarray(rows, np.int64), found, np.full(len(found), np.nan), video)


@pytest.fixture(scope="module")
def overconfident():
    """Utterances whose true log odds are 0.8 + 0.6 z."""
    rng = np.random.default_rng(1)
    z = rng.normal(-1.0, 3.0, 40_000)
    return z, (rng.random(len(z)) < sigmoid(0.8 + 0.6 * z)).astype(float)


@pytest.mark.parametrize("choice", ["random", "uncertain", "suspicious"])
def test_the_map_is_found_whichever_scores_were_chosen(overconfident, choice) -> None:
    z, y = overconfident
    order = {
        "random": np.random.default_rng(2).permutation(len(z)),
        "uncertain": np.argsort(np.abs(z)),
        "suspicious": np.argsort(-z)[8_000:],
    }[choice]
    rows = order[:6_000]
    shift, slope = fit(z[rows], y[rows], np.ones(len(rows)))
    # A rate taken from the anchors would be far off: where they lie, more or fewer are wrong than elsewhere.
    assert choice == "random" or abs(y[rows].mean() - y.mean()) > 0.1
    probability = sigmoid(shift + slope * z[rows])
    assert probability.mean() == pytest.approx(y[rows].mean(), abs=0.01)
    assert (shift, slope) == (pytest.approx(0.8, abs=0.2), pytest.approx(0.6, abs=0.15))


def test_few_anchors_move_little_and_too_few_nothing(overconfident) -> None:
    z, y = overconfident
    order = np.argsort(np.abs(z))
    shift, slope = fit(z[order[:10]], y[order[:10]], np.ones(10))
    assert abs(shift) < 1.5
    assert abs(slope - 1) < 0.1
    judgement = judged(z)
    right, wrong = (np.flatnonzero(y == label)[:count] for label, count in ((0, 500), (1, 19)))
    rows = np.concatenate([right, wrong])
    found = recalibrated(judgement, anchored(rows, y[rows]))
    np.testing.assert_array_equal(found.wrong, judgement.wrong)
    assert found.facts["recalibration"] == {
        "right": 500, "wrong": 19, "right_videos": 500.0, "wrong_videos": 19.0, "used": False,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_a_method_that_is_right_is_hardly_ever_moved_by_chance(seed) -> None:
    rng = np.random.default_rng(seed)
    z = rng.normal(-1.0, 3.0, 5_000)
    y = (rng.random(len(z)) < sigmoid(z)).astype(float)
    rows = np.argsort(np.abs(z))[:200] if seed % 2 else rng.permutation(len(z))[:200]
    found = recalibrated(judged(z), anchored(rows, y[rows]))
    assert found.facts["recalibration"]["evidence"] < 5.99
    np.testing.assert_array_equal(found.wrong, judged(z).wrong)


def test_the_clips_of_a_video_count_as_one(overconfident) -> None:
    z, y = overconfident
    rows = np.random.default_rng(3).permutation(len(z))[:300]
    once = recalibrated(judged(z), anchored(rows, y[rows]))
    # One video was reviewed clip by clip, and all of its clips are the same.
    again = np.concatenate([rows, np.repeat(rows[:1], 200)])
    video = np.concatenate([np.arange(300), np.zeros(200, int)])
    often = recalibrated(judged(z), anchored(again, y[again], video))
    np.testing.assert_allclose(often.wrong, once.wrong, atol=1e-9)
    assert often.facts["recalibration"]["right"] + often.facts["recalibration"]["wrong"] == 500
    # One bad video with many clips is not enough.
    bad = np.flatnonzero(y == 1)[:100]
    rows = np.concatenate([np.flatnonzero(y == 0)[:100], bad])
    alike = np.concatenate([np.arange(100), np.full(100, 1_000)])
    assert not recalibrated(judged(z), anchored(rows, y[rows], alike)).facts["recalibration"]["used"]


def test_beyond_what_was_reviewed_the_map_fades_and_the_order_stays() -> None:
    rng = np.random.default_rng(4)
    seen = rng.uniform(-1.0, 1.0, 600)
    y = (rng.random(600) < sigmoid(2.5 + seen)).astype(float)  # far more is wrong than it seems
    grid = np.linspace(-11, 11, 2_001)
    found = recalibrated(judged(np.concatenate([seen, grid])), anchored(np.arange(600), y))
    assert found.facts["recalibration"]["used"]
    z = log_odds(found.wrong[600:])
    assert (np.diff(z) > 0).all()
    middle = np.abs(grid) < 0.9
    assert (z[middle] - grid[middle] > 1.0).all()
    outside = np.abs(grid) > 7
    np.testing.assert_allclose(z[outside], grid[outside], atol=1e-4)


def test_voice_face_and_either_stay_consistent_and_so_does_the_other_reading() -> None:
    rng = np.random.default_rng(5)
    n = 2_000
    a, v, both = rng.random(n) * 0.5, rng.random(n) * 0.3, rng.random(n) * 0.2
    judgement = Judgement(a + both, v + both, a + v + both, calibrated=True)
    judgement = replace(judgement, sceptical=judgement)
    y = (rng.random(n) < 0.2).astype(float)
    rows = np.arange(400)
    found = recalibrated(judgement, Anchors(rows, y[:400], y[:400], rows))
    assert found.sceptical is not None
    assert found.facts["recalibration"]["shift"] < -0.5
    for reading in (found, found.sceptical):
        assert (reading.wrong < judgement.wrong).mean() > 0.95
        assert (reading.wrong + 1e-12 >= np.maximum(reading.audio_wrong, reading.visual_wrong)).all()
        assert (reading.audio_wrong + reading.visual_wrong + 1e-12 >= reading.wrong).all()
        np.testing.assert_allclose(reading.both_wrong / reading.wrong, both / (a + v + both), atol=1e-9)


def test_an_anchor_tells_only_of_what_was_judged() -> None:
    z = np.random.default_rng(6).normal(0, 2, 100)
    rows = np.arange(100)
    none = np.full(100, np.nan)
    # Only voices were judged: a wrong face says nothing of them, and a wrong face with a right voice is a right one.
    unknown = recalibrated(judged(z), Anchors(rows, none, np.ones(100), rows))
    assert unknown.facts["recalibration"]["right"] + unknown.facts["recalibration"]["wrong"] == 0
    right = recalibrated(judged(z), Anchors(rows, np.zeros(100), np.ones(100), rows))
    assert right.facts["recalibration"]["right"] == 100


def test_yes_and_no_are_no_probabilities_and_are_left_alone() -> None:
    flags = (np.arange(100) % 2).astype(float)
    judgement = Judgement(flags, flags, flags, calibrated=False)
    assert recalibrated(judgement, Anchors(np.arange(100), 1 - flags, 1 - flags, np.arange(100))) is judgement
