import time
import tracemalloc

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.evaluation import as_norm as module
from avsieve.evaluation.as_norm import Cohort, as_norm, cohort_centres, mean_of_as_norms, top_statistics
from avsieve.evaluation.metrics import summarise
from avsieve.evaluation.scoring import Part, cosines
from avsieve.evaluation.trials import make_trial_list

RNG = np.random.default_rng(0)
SPEAKERS = [f"c{i:02d}" for i in range(12) for _ in range(3)]
COHORT = Part.of(RNG.standard_normal((36, 8)))
TRIALS = Part.of(RNG.standard_normal((20, 8)))
ENROL, TEST = RNG.integers(0, 20, 50), RNG.integers(0, 20, 50)


def by_hand(enrol, test, top):
    """Normalise one trial by the formula, without any of the module's code."""
    centres = []
    for name in sorted(set(SPEAKERS)):
        own = np.mean([v for v, s in zip(COHORT.vectors, SPEAKERS, strict=True) if s == name], axis=0)
        centres.append(own / np.linalg.norm(own))
    total = 0.0
    score = float(enrol @ test)
    for side in (enrol, test):
        nearest = sorted((float(side @ c) for c in centres), reverse=True)[:top]
        total += (score - np.mean(nearest)) / np.std(nearest)
    return total / 2


@pytest.mark.parametrize("top", [2, 5, 12])
def test_scores_equal_the_formula_trial_by_trial(top, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_SCORES", 36)  # three utterances a block
    found = as_norm(TRIALS, cohort_centres(COHORT, SPEAKERS), top, ENROL, TEST)
    expected = [by_hand(TRIALS.vectors[e], TRIALS.vectors[t], top) for e, t in zip(ENROL, TEST, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


def test_the_sides_of_a_trial_are_alike():
    centres = cohort_centres(COHORT, SPEAKERS)
    np.testing.assert_allclose(as_norm(TRIALS, centres, 5, ENROL, TEST), as_norm(TRIALS, centres, 5, TEST, ENROL))


def test_an_absent_utterance_has_no_score_and_absent_cohort_utterances_do_not_count():
    present = np.arange(20) != 3
    found = as_norm(Part.of(TRIALS.vectors, present), cohort_centres(COHORT, SPEAKERS), 5, ENROL, TEST)
    assert np.array_equal(np.isnan(found), (ENROL == 3) | (TEST == 3))
    half = Part.of(COHORT.vectors, np.arange(36) % 3 == 0)
    np.testing.assert_allclose(cohort_centres(half, SPEAKERS), COHORT.vectors[::3], atol=1e-6)
    nobody = Part.of(COHORT.vectors, np.arange(36) >= 6)
    assert len(cohort_centres(nobody, SPEAKERS)) == 10


def test_it_helps_where_conditions_shift_the_scores():
    # Half of the utterances come over a channel that makes them alike, strangers included.
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(40), 6)
    channel = np.zeros(32)
    channel[0] = 3.0

    def heard(n_people, codes, seed):
        own = np.random.default_rng(seed).standard_normal((n_people, 32))
        loud = rng.random(len(codes)) < 0.5
        return Part.of(own[codes] + 0.7 * rng.standard_normal((len(codes), 32)) + loud[:, None] * channel)

    part = heard(40, person, 2)
    # The cohort is a mean over both conditions, and single utterances stand for its speakers.
    cohort = heard(300, np.arange(300), 3)
    enrol, test = np.triu_indices(len(person), 1)
    target = person[enrol] == person[test]
    raw = summarise(cosines(part, enrol, test), target)["eer"]
    centres = cohort_centres(cohort, [f"c{i}" for i in range(300)])
    assert summarise(as_norm(part, centres, 100, enrol, test), target)["eer"] < 0.9 * raw


def test_parts_are_normalised_each_by_itself_and_then_averaged():
    cohort = Cohort([f"{s}/v/{i}" for i, s in enumerate(SPEAKERS)], 5)
    other = Part.of(RNG.standard_normal((20, 4)), np.arange(20) != 3)
    other_cohort = Part.of(RNG.standard_normal((36, 4)))
    one = as_norm(TRIALS, cohort_centres(COHORT, SPEAKERS), 5, ENROL, TEST)
    two = as_norm(other, cohort_centres(other_cohort, SPEAKERS), 5, ENROL, TEST)
    found = mean_of_as_norms([TRIALS, other], [COHORT, other_cohort], cohort, ENROL, TEST)
    np.testing.assert_allclose(found, np.where(np.isnan(two), one, (one + two) / 2), rtol=1e-5)


def test_a_cohort_of_the_trials_own_speakers_or_of_too_few_is_refused():
    trials = make_trial_list([True, False], ["a/1/1", "a/1/1"], ["a/2/1", "b/1/1"])
    with pytest.raises(AvsieveError, match=r"1 of 2 cohort speakers are in the trials \(for example b\)"):
        Cohort(["b/1/1", "c/1/1"], 2).check(trials)
    with pytest.raises(AvsieveError, match="the top 300 of a cohort of 2 speakers; expected from 2 to 2"):
        Cohort(["d/1/1", "c/1/1"], 300).check(trials)
    Cohort(["d/1/1", "c/1/1"], 2).check(trials)


def test_a_cohort_without_enough_embeddings_or_without_differences_is_refused():
    with pytest.raises(AvsieveError, match="12 speakers of the cohort have an embedding, top is 13"):
        as_norm(TRIALS, cohort_centres(COHORT, SPEAKERS), 13, ENROL, TEST)
    same = np.repeat(COHORT.vectors[:1], 12, axis=0)
    with pytest.raises(AvsieveError, match="equal scores with all its nearest"):
        as_norm(TRIALS, same, 5, ENROL, TEST)


def test_memory_does_not_grow_with_the_number_of_utterances():
    rng = np.random.default_rng(4)
    centres = rng.standard_normal((2000, 16)).astype(np.float32)
    peaks = []
    for n in (4000, 16000):
        vectors = rng.standard_normal((n, 16)).astype(np.float32)
        tracemalloc.start()
        begin = time.perf_counter()
        top_statistics(vectors, centres, 300)
        assert time.perf_counter() - begin < 30
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0] + 16000 * 8
    assert peaks[1] < 64e6  # all scores at once would be 128 MB
