"""The people of a label's videos beside the person of its centre."""

from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.rivals import Rivals, find_rivals, second_mode


def label(centre: int, *others: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is asked for of a label with two utterances a video: so many of the centre, and of each other."""
    who = np.repeat(np.arange(1 + len(others)), [centre, *others])
    agree = (who[:, None] == who[None]) & ~np.eye(len(who), dtype=bool)
    return np.repeat((who == 0).astype(float), 2), np.repeat(np.arange(len(who)), 2), agree.astype(float)


def rivals_of(right: np.ndarray, code: np.ndarray, agree: np.ndarray) -> Rivals:
    """Find the rivals where every video is one part."""
    return find_rivals(right, code, agree, code)


def test_people_in_more_videos_are_likelier_to_be_the_speaker():
    doubts = [rivals_of(*label(4, n)).doubt() for n in (1, 2, 3, 4)]
    assert doubts == sorted(doubts)
    assert doubts[0] < 0.01
    assert doubts[-1] == pytest.approx(0.5)


def test_every_rival_is_named_once_and_the_likeliest_first():
    rivals = rivals_of(*label(4, 1, 3))
    assert rivals.people(1e-6) == [5, 4]
    assert rivals.people(0.01) == [5]
    assert rivals.of_person(5) == pytest.approx(12 ** (-1 / 3))
    assert rivals_of(*label(4)).people(1e-6) == []


def test_what_else_is_known_moves_the_doubt_and_the_share():
    rivals = rivals_of(*label(3, 3, 3))
    assert rivals.doubt() == pytest.approx(2 / 3)
    np.testing.assert_allclose(rivals.share()[6:], 0.5)
    known = np.repeat([1.0, 0.0, 1.0], 3)
    assert rivals.doubt(known) == pytest.approx(0.5)
    np.testing.assert_allclose(rivals.share(known)[12:], 1.0)
    np.testing.assert_allclose(rivals.share(known)[6:12], 0.0)
    assert rivals.doubt(known, centre=3.0) == pytest.approx(0.25)


def test_a_second_person_is_one_of_several_videos():
    assert second_mode(*label(5, 2))[10:].min() == 1.0
    assert second_mode(*label(5, 2))[:10].max() == 0.0
    assert not second_mode(*label(5, 1, 1)).any()


def halved(videos: int, utterances: int, strangers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a label in each of whose videos a few utterances are one and the same stranger's."""
    video = np.repeat(np.arange(videos), utterances)
    stranger = np.tile(np.arange(utterances) < strangers, videos)
    code = 2 * video + stranger
    who = np.arange(2 * videos) % 2
    agree = (who[:, None] == who[None]) & ~np.eye(2 * videos, dtype=bool)
    return (~stranger).astype(float), code, agree.astype(float), video


def test_who_is_in_the_same_videos_as_the_speaker_may_be_the_speaker():
    assert find_rivals(*halved(8, 6, 3)).doubt() == pytest.approx(0.5, abs=0.03)


def test_a_stranger_in_one_of_few_utterances_of_one_video_is_hardly_the_speaker():
    assert find_rivals(*halved(1, 9, 1)).doubt() < 0.03
