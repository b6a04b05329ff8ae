from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.calibration import PairCalibration, calibrate, histogram
from avsieve.cleansing.inputs import unit_rows
from avsieve.cleansing.pooling import pool_speaker

CALIBRATION = dict.fromkeys(("audio", "visual"), PairCalibration(0.05, 0.1, 0.5, 0.13, 0.9))


def person(rng, person_vector, n, quality=0.75):
    noise = unit_rows(rng.standard_normal((n, 64)))
    return unit_rows(quality * person_vector + np.sqrt(1 - quality**2) * noise)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_calibration_finds_the_bump_of_right_pairs_when_they_are_the_minority(rng):
    impostors = histogram(rng.normal(0.05, 0.1, 50_000))
    pairs = np.concatenate([rng.normal(0.05, 0.1, 8_000), rng.normal(0.5, 0.12, 2_000)])
    c = calibrate(histogram(pairs), impostors)
    assert c.same_mean == pytest.approx(0.5, abs=0.03)
    assert c.different_mean == pytest.approx(0.05, abs=0.01)
    assert c.share == pytest.approx(0.2, abs=0.04)


def test_calibration_without_pairs_says_so_by_assuming_half_way():
    c = calibrate(np.zeros(400), np.zeros(400))
    assert c.same_mean > c.different_mean
    assert c.log_odds(np.array([1.0]))[0] > 0 > c.log_odds(np.array([0.0]))[0]


def test_centre_is_the_person_most_videos_agree_on_although_most_are_wrong(rng):
    right, *others = unit_rows(rng.standard_normal((6, 64)))
    # Four videos of the right person, five of five others with more utterances each.
    E = np.concatenate([person(rng, right, 12), *(person(rng, o, 6) for o in others)])
    video = np.repeat(np.arange(9), [3, 3, 3, 3, 6, 6, 6, 6, 6])
    model = pool_speaker({"audio": E, "visual": E}, video, CALIBRATION)
    assert model.compare("audio").centre @ right > 0.9
    assert unit_rows(E.mean(axis=0, keepdims=True))[0] @ right < 0.8
    assert model.compare("audio").similarity[:12].min() > model.compare("audio").similarity[12:].max()


def test_a_wrong_video_does_not_vouch_for_itself(rng):
    right, other = unit_rows(rng.standard_normal((2, 64)))
    E = np.concatenate([person(rng, right, 6), person(rng, other, 6)])
    model = pool_speaker({"audio": E, "visual": E}, np.repeat([0, 1, 2], [3, 3, 6]), CALIBRATION)
    assert model.compare("audio").plain[6:].max() < 0.4
    assert model.compare("audio").agreement[6:].min() > 0.5
    assert not model.compare("audio").fallback.any()


def test_a_sibling_is_the_most_trusted_other_video(rng):
    right, other = unit_rows(rng.standard_normal((2, 64)))
    E = np.concatenate([person(rng, right, 9), person(rng, other, 2)])
    video = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3])
    model = pool_speaker({"audio": E, "visual": np.zeros((11, 0), np.float32)}, video, CALIBRATION)
    means = [unit_rows(E[video == v].sum(axis=0, keepdims=True))[0] for v in (0, 1)]
    np.testing.assert_allclose(model.compare("audio").sample, means[0], atol=1e-6)
    np.testing.assert_allclose(model.compare("audio").sibling[4:], E[4:] @ means[0], atol=1e-6)
    np.testing.assert_allclose(model.compare("audio").sibling[:4], E[:4] @ means[1], atol=1e-6)
    lonely = pool_speaker({"audio": E[:4], "visual": E[:4]}, np.zeros(4), CALIBRATION)
    assert np.isnan(lonely.compare("audio").sibling).all()


def test_one_video_falls_back_to_leaving_one_utterance_out_and_says_so(rng):
    (right,) = unit_rows(rng.standard_normal((1, 64)))
    E = person(rng, right, 4)
    model = pool_speaker({"audio": E, "visual": np.zeros((4, 0), np.float32)}, np.zeros(4), CALIBRATION)
    expected = unit_rows((E.sum(axis=0) - E[0])[None])[0] @ E[0]
    assert model.compare("audio").fallback.all()
    assert model.compare("audio").similarity[0] == pytest.approx(expected, abs=0.05)
    assert np.isnan(model.compare("visual").similarity).all()


def test_a_single_utterance_has_nothing_to_be_compared_with(rng):
    E = person(rng, unit_rows(rng.standard_normal((1, 64)))[0], 1)
    model = pool_speaker({"audio": E, "visual": E}, np.zeros(1), CALIBRATION)
    assert np.isnan(model.compare("audio").similarity).all()
    assert np.isfinite(model.compare("audio").centre).all()


def test_the_face_tells_which_voices_to_trust(rng):
    face, voice, dubbed = unit_rows(rng.standard_normal((3, 64)))
    faces = person(rng, face, 12)
    # The voice is dubbed in half of the videos, by one and the same person.
    voices = np.concatenate([person(rng, voice, 6), person(rng, dubbed, 6)])
    model = pool_speaker({"audio": voices, "visual": faces}, np.repeat(np.arange(6), 2), CALIBRATION)
    assert model.weight["visual"].min() > 0.9
    assert (model.weight["audio"] > 0.5).sum() == 6


def test_a_second_person_in_several_videos_is_noticed(rng):
    one, two = unit_rows(rng.standard_normal((2, 64)))
    E = np.concatenate([person(rng, one, 12), person(rng, two, 6)])
    model = pool_speaker({"audio": E, "visual": E}, np.repeat(np.arange(9), 2), CALIBRATION)
    assert model.second[:12].max() < 0.1
    assert model.second[12:].min() > 0.5


def test_two_people_in_as_many_videos_may_both_be_the_speaker(rng):
    one, other, stranger = unit_rows(rng.standard_normal((3, 64)))
    E = np.concatenate([person(rng, one, 6), person(rng, other, 6), person(rng, stranger, 3)])
    video = np.repeat(np.arange(5), 3)
    tie = pool_speaker({"audio": E, "visual": E}, video, CALIBRATION)
    assert tie.rivals.doubt() == pytest.approx(0.5, abs=0.08)
    mode = tie.weight["audio"][:12] > 0.5
    assert mode.reshape(4, 3).all(axis=1).sum() == 2
    assert tie.rivals.share()[:12][~mode].min() > 0.8
    assert tie.rivals.share()[:12][mode].max() < 0.1
    # Another video of the first person settles it.
    E, video = np.concatenate([E, person(rng, one, 3)]), np.repeat(np.arange(6), 3)
    more = pool_speaker({"audio": E, "visual": E}, video, CALIBRATION)
    assert more.rivals.doubt() < 0.3
    assert more.weight["audio"][:6].min() > 0.9


def test_a_rival_seen_once_is_hardly_one_and_one_seen_often_is_although_one_video_behind(rng):
    one, other = unit_rows(rng.standard_normal((2, 64)))
    doubt = {}
    for videos in (1, 5):
        E = np.concatenate([person(rng, one, 3 * (videos + 1)), person(rng, other, 3 * videos)])
        doubt[videos] = pool_speaker(
            {"audio": E, "visual": E}, np.repeat(np.arange(2 * videos + 1), 3), CALIBRATION
        ).rivals.doubt()
    assert doubt[1] < 0.12
    assert doubt[5] > 0.3


def test_a_video_that_was_uploaded_three_times_counts_once(rng):
    one, other = unit_rows(rng.standard_normal((2, 64)))
    wrong = person(rng, other, 4)
    copies = [unit_rows(wrong + 0.01 * rng.standard_normal(wrong.shape)) for _ in range(3)]
    E, video = np.concatenate([person(rng, one, 8), *copies]), np.repeat(np.arange(5), 4)
    model = pool_speaker({"audio": E, "visual": E}, video, CALIBRATION)
    assert model.weight["audio"][:8].min() > 0.9
    assert model.weight["audio"][8:].max() < 0.1
    # Nor does a copy vouch for the other: they are compared with the videos of the label alone.
    assert model.compare("audio").similarity[8:].max() < 0.4


def test_videos_that_a_strong_encoder_makes_alike_are_no_copies(rng):
    (right,) = unit_rows(rng.standard_normal((1, 64)))
    E = person(rng, right, 40, quality=0.99)
    video = np.repeat(np.arange(4), 10)
    means = unit_rows(np.stack([E[video == v].mean(axis=0) for v in range(4)]))
    assert (means @ means.T).min() > 0.97
    model = pool_speaker({"audio": E, "visual": E}, video, CALIBRATION)
    assert not model.compare("audio").fallback.any()
    assert model.compare("audio").support.min() > 3


def test_there_is_no_doubt_about_a_speaker_whose_videos_agree(rng):
    (right,) = unit_rows(rng.standard_normal((1, 64)))
    E = person(rng, right, 12)
    assert pool_speaker({"audio": E, "visual": E}, np.repeat(np.arange(4), 3), CALIBRATION).rivals.doubt() < 0.01
