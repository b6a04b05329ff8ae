"""The people of a label's videos beside the person of its centre."""

from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.rivals import find_rivals, second_mode


def label(centre: int, *others: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is asked for of a label with two utterances a video: so many of the centre, and of each other."""
    who = np.repeat(np.arange(1 + len(others)), [centre, *others])
    agree = (who[:, None] == who[None]) & ~np.eye(len(who), dtype=bool)
    return np.repeat((who == 0).astype(float), 2), np.repeat(np.arange(len(who)), 2), agree.astype(float)


def test_people_in_more_videos_are_likelier_to_be_the_speaker():
    doubts = [find_rivals(*label(4, n)).doubt() for n in (1, 2, 3, 4)]
    assert doubts == sorted(doubts)
    assert doubts[0] < 0.01
    assert doubts[-1] == pytest.approx(0.5)


def test_every_rival_is_named_once_and_the_likeliest_first():
    rivals = find_rivals(*label(4, 1, 3))
    assert rivals.people(1e-6) == [5, 4]
    assert rivals.people(0.01) == [5]
    assert rivals.of_person(5) == pytest.approx(12 ** (-1 / 3))
    assert find_rivals(*label(4)).people(1e-6) == []


def test_what_else_is_known_moves_the_doubt_and_the_share():
    rivals = find_rivals(*label(3, 3, 3))
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
