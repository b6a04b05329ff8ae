"""Weights of a person's utterances, alone and against a second person."""

from __future__ import annotations

import numpy as np

from avsieve.cleansing.calibration import PairCalibration
from avsieve.cleansing.inputs import MODALITIES, unit_rows
from avsieve.cleansing.membership import one_of_two, settle
from avsieve.cleansing.pooling import pool_speaker
from avsieve.cleansing.views import View

DIM = 64
# An utterance and the mean of five that are .6 alike: .6 / sqrt((1 + 4 x .6) / 5).
CALIBRATION = dict.fromkeys(MODALITIES, PairCalibration(0.0, 0.12, 0.73, 0.12, 0.9))


def people(likeness: float, seed: int = 0) -> dict[str, np.ndarray]:
    """Return two people a modality, (2, DIM), whose cosine is ``likeness``."""
    rng = np.random.default_rng(seed)
    found = {}
    for m in MODALITIES:
        a, b = np.linalg.qr(rng.normal(size=(DIM, 2)))[0].T
        found[m] = np.stack([a, likeness * a + np.sqrt(1 - likeness**2) * b])
    return found


def utterances(who: np.ndarray, of: dict[str, np.ndarray], seed: int = 1) -> dict[str, np.ndarray]:
    """Return embeddings of people of whom two utterances have a cosine of about .6."""
    rng = np.random.default_rng(seed)
    noise = {m: rng.normal(size=(len(who), DIM)) * np.sqrt((1 / 0.6 - 1) / DIM) for m in MODALITIES}
    return {m: unit_rows((of[m][who] + noise[m]).astype(np.float32)) for m in MODALITIES}


def views(embeddings: dict[str, np.ndarray], video: np.ndarray) -> dict[str, View]:
    return {m: View(E, video, np.ones(len(E), bool)) for m, E in embeddings.items()}


def everything(count: int) -> dict[str, np.ndarray]:
    return {m: np.ones(count, np.float32) for m in MODALITIES}


def test_who_takes_turns_with_the_speaker_in_every_video_is_told_apart():
    who = np.tile([0, 0, 0, 1, 1], 10)
    video = np.repeat(np.arange(10), 5)
    found = views(utterances(who, people(0.25)), video)
    blended = settle(everything(50), found, CALIBRATION)
    assert blended["audio"][who == 1].mean() > 0.5  # the middle keeps both
    kept = one_of_two(blended, found, CALIBRATION)
    for m in MODALITIES:
        assert kept[m][who == 0].min() > 0.9
        assert kept[m][who == 1].max() < 0.1


def test_one_person_stays_one():
    who, video = np.zeros(50, int), np.repeat(np.arange(10), 5)
    found = views(utterances(who, people(0.0)), video)
    settled = settle(everything(50), found, CALIBRATION)
    assert one_of_two(settled, found, CALIBRATION) is settled


def test_a_person_who_differs_by_halves_stays_one():
    # Two languages, or years apart: less alike than the person usually is, and far more than strangers are.
    who, video = np.repeat([0, 1], 25), np.repeat(np.arange(10), 5)
    found = views(utterances(who, people(0.75)), video)
    settled = settle(everything(50), found, CALIBRATION)
    assert one_of_two(settled, found, CALIBRATION) is settled


def test_a_modality_that_nobody_has_does_not_matter():
    who, video = np.tile([0, 0, 0, 1, 1], 10), np.repeat(np.arange(10), 5)
    embeddings = utterances(who, people(0.0))
    found = {
        "audio": View(np.zeros((50, 0), np.float32), video, np.zeros(50, bool)),
        "visual": View(embeddings["visual"], video, np.ones(50, bool)),
    }
    kept = one_of_two(settle(everything(50), found, CALIBRATION), found, CALIBRATION)
    assert not kept["audio"].any()
    assert kept["visual"][who == 0].min() > 0.9
    assert kept["visual"][who == 1].max() < 0.1


def test_the_label_knows_of_whoever_is_in_its_videos():
    who = np.tile([0, 0, 0, 1, 1, 1], 10)
    model = pool_speaker(utterances(who, people(0.2)), np.repeat(np.arange(10), 6).astype(str), CALIBRATION)
    assert model.rivals.doubt() > 0.2
    share = model.rivals.share()
    kept = model.weight["audio"] > 0.5
    assert share[~kept].min() > 0.9
    assert share[kept].max() < 0.1


def test_several_strangers_in_a_video_are_nobody_who_may_be_the_speaker():
    rng = np.random.default_rng(3)
    strange = np.tile([False] * 4 + [True] * 3, 6)
    embeddings = utterances(np.zeros(42, int), people(0.0))
    for m in MODALITIES:
        embeddings[m][strange] = unit_rows(rng.normal(size=(int(strange.sum()), DIM)).astype(np.float32))
    assert pool_speaker(embeddings, np.repeat(np.arange(6), 7).astype(str), CALIBRATION).rivals.doubt() < 0.02
