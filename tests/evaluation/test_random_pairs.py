"""Trials of random pairs, and figures over draws of them."""

from __future__ import annotations

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.evaluation.random_pairs import People, evaluate_draws

AUDIO = [f"id{k % 5}" for k in range(40)] + ["id7", "id8", "id8"]
VISUAL = [f"id{k // 8}" for k in range(40)] + ["id7", "id7", "id8"]
PEOPLE = People.of(AUDIO, VISUAL)
OF = {"audio": np.array(AUDIO), "visual": np.array(VISUAL)}


def test_speakers_have_two_voices_and_two_faces_at_least():
    assert PEOPLE.names == [f"id{k}" for k in range(5)]
    assert PEOPLE.left_out == ["id7", "id8"]
    with pytest.raises(AvsieveError, match="1 of 2 speakers have two voices and two faces; random pairs need 2"):
        People.of(["a", "a", "b"], ["a", "a", "b"])
    with pytest.raises(AvsieveError, match="0 of 0 speakers"):
        People.of([], [])


def test_targets_are_one_speaker_with_other_rows_and_nontargets_two_speakers():
    pairs = PEOPLE.draw(4000, np.random.default_rng(0))
    assert pairs.is_target.sum() == 2000
    target = pairs.is_target
    names = {m: [OF[m][side] for side in getattr(pairs, m)] for m in OF}
    for side in (0, 1):  # voice and face of a side are one speaker's
        assert (names["audio"][side] == names["visual"][side]).all()
    assert ((names["audio"][0] == names["audio"][1]) == target).all()
    for m in OF:
        one, other = getattr(pairs, m)
        assert (one != other)[target].all()
    together = {(a, v) for a, v in zip(pairs.audio[0], pairs.visual[0], strict=True)}
    assert len(together) > 300  # of 5 x 8 x 8: any voice with any face


def test_speakers_and_their_rows_are_drawn_alike():
    pairs = PEOPLE.draw(40_000, np.random.default_rng(1))
    for m in OF:
        for side in getattr(pairs, m):
            counts = np.bincount(side, minlength=40)[:40]
            assert abs(counts - 1000).max() < 150
    one, other = (OF["audio"][side][~pairs.is_target] for side in pairs.audio)
    couples = np.unique(np.stack([one, other]), axis=1, return_counts=True)[1]
    assert len(couples) == 20
    assert abs(couples - 1000).max() < 150


def test_draws_follow_the_seed_and_their_spread_is_told():
    noise = np.random.default_rng(0).normal(size=(2, 43))

    def scorer(pairs):
        return pairs.is_target + noise[0][pairs.audio[0]] + noise[1][pairs.audio[1]]

    def rows(seed, draws=6):
        given = {"noisy": scorer, "right": lambda pairs: pairs.is_target.astype(float)}
        return evaluate_draws(PEOPLE, given, draws=draws, trials=400, definition="interpolated", seed=seed)

    noisy, right = rows(0)
    assert rows(0) == [noisy, right]
    assert rows(1)[0]["eer_mean"] != noisy["eer_mean"]
    assert noisy["protocol"] == "random_pairs"
    assert noisy["eer_min"] < noisy["eer_mean"] < noisy["eer_max"]
    assert 0 < noisy["eer_std"] < noisy["eer_max"] - noisy["eer_min"]
    assert (right["eer_mean"], right["eer_std"]) == (0, 0)
    assert rows(0, draws=1)[0]["eer_std"] == 0
    assert "eer" not in noisy  # none of a trial list
