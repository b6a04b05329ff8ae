from __future__ import annotations

import numpy as np

from avsieve.simulation.noise import KINDS, Truth, draw_noise
from avsieve.simulation.settings import NoiseSpec

SPEAKERS, PEOPLE, VIDEOS, UTTERANCES = 40, 60, 10, 5
VIDEO = np.repeat(np.arange(SPEAKERS * VIDEOS), UTTERANCES)
SPEAKER = VIDEO // VIDEOS
LIKENESS = np.random.default_rng(0).normal(size=(SPEAKERS, PEOPLE))


def draw(spec: NoiseSpec) -> Truth:
    return draw_noise(SPEAKER, VIDEO, spec, LIKENESS, SPEAKERS, np.random.default_rng(1))


def test_without_noise_everybody_is_who_the_label_says() -> None:
    truth = draw(NoiseSpec(rate=0.0))
    assert not truth.kind.any()
    assert np.array_equal(truth.audio, SPEAKER)
    assert np.array_equal(truth.visual, SPEAKER)


def test_a_wrong_person_is_never_the_label() -> None:
    truth = draw(NoiseSpec(rate=0.4))
    audio, visual = KINDS.index("audio"), KINDS.index("visual")
    for other, right in ((truth.audio, visual), (truth.visual, audio)):
        assert ((other != SPEAKER) == ~np.isin(truth.kind, (0, right))).all()


def test_a_whole_video_is_wrong_with_one_person() -> None:
    truth = draw(NoiseSpec(rate=0.3, whole_video=1.0, audio_only=0.0, visual_only=0.0))
    kind, seen = truth.kind.reshape(-1, UTTERANCES), truth.visual.reshape(-1, UTTERANCES)
    assert (kind == KINDS.index("video")).any()
    assert (kind == kind[:, :1]).all()
    assert (seen == seen[:, :1]).all()


def test_people_from_outside_come_as_often_as_asked_for() -> None:
    for share in (0.0, 1.0):
        truth = draw(NoiseSpec(rate=0.3, outside=share))
        wrong = truth.visual[truth.visual != SPEAKER]
        assert len(wrong) > 100
        assert (wrong >= SPEAKERS).mean() == share


def test_lookalikes_are_among_the_most_similar() -> None:
    truth = draw(NoiseSpec(rate=0.3, similar=1.0, outside=0.0))
    likeness = LIKENESS[:, :SPEAKERS].copy()
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argsort(likeness, axis=1)[:, -5:]
    wrong = np.flatnonzero(truth.visual != SPEAKER)
    assert len(wrong) > 100
    assert all(truth.visual[i] in nearest[SPEAKER[i]] for i in wrong)


def test_no_speaker_is_all_wrong_at_a_high_rate() -> None:
    truth = draw(NoiseSpec(rate=0.9, evenness=0.5))
    assert 0.7 < (truth.kind != 0).mean() < 0.97


def test_nobody_is_taken_for_themselves_among_few() -> None:
    speaker = np.repeat(np.arange(5), 200)
    likeness = np.random.default_rng(0).normal(size=(5, 5))
    spec = NoiseSpec(rate=0.3, similar=1.0)
    truth = draw_noise(speaker, np.arange(1000) // 5, spec, likeness, 5, np.random.default_rng(1))
    wrong = np.isin(truth.kind, (KINDS.index("video"), KINDS.index("visual")))
    assert wrong.sum() > 100
    assert ((truth.visual != speaker) == wrong).all()
