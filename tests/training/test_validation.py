from __future__ import annotations

import numpy as np
import pytest

from avsieve.errors import ConfigError
from avsieve.evaluation.scoring import Part, mean_of_cosines
from avsieve.training.validation import Watch, check_split, is_held, pair_cosines

from .encoder.recipes import watch_of


def test_a_speaker_is_kept_out_of_every_list_or_of_none() -> None:
    names = [f"id{i:05d}" for i in range(4000)]
    held = {n for n in names if is_held(n, 0.1)}
    assert 0.08 < len(held) / len(names) < 0.12
    assert held < {n for n in names if is_held(n, 0.2)}  # a larger share takes more, and those before
    assert not any(is_held(n, 0.0) for n in names)


def test_pairs_that_are_equal_tie_as_they_do_in_the_evaluation() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(-2, 3, (120, 24)).astype(np.float32)
    rows[60:] = rows[:60]  # each under two names
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = np.triu_indices(120, 1)
    scores = pair_cosines(rows)
    assert (scores == scores.T).all()
    assert (scores[:60, :60] == scores[60:, 60:]).all()
    np.testing.assert_array_equal(scores[pairs], mean_of_cosines([Part.of(rows)], *pairs))


@pytest.mark.parametrize("settings", [{"share": 1.0}, {"share": 0.1, "every": 0}, {"share": 0.1, "keep": "first"}])
def test_settings_that_cannot_work_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError, match="expected"):
        Watch(**{"share": 0.1, "every": 500, "keep": "last", **settings})
    with pytest.raises(ConfigError, match="found by validation only"):
        watch_of(keep="best")


@pytest.mark.parametrize("held", [0, 1, 9, 10])
def test_two_speakers_are_needed_on_either_side(held: int) -> None:
    check_split(2, 4, 0.5)
    with pytest.raises(ConfigError, match=rf"holds out {held} of 10 speakers; expected at least 2 there, and 2 to"):
        check_split(held, 10, 0.5)
