from __future__ import annotations

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort, mean_of_as_norms
from avsieve.evaluation.scoring import Part, mean_of_cosines
from avsieve.evaluation.trial_maker import make_trials
from avsieve.evaluation.ways import AS_NORM, RAW, Embedded, score

NAMES = [f"t{s}/v{v}/1" for s in range(4) for v in range(3)]
OTHERS = [f"c{s}/v/{u}" for s in range(8) for u in range(2)]
TRIALS = make_trials(NAMES)
COHORT = Cohort(OTHERS, 4)


def part(n, seed):
    return Part.of(np.random.default_rng(seed).standard_normal((n, 6)))


def test_raw_and_normalised_scores_are_those_of_the_parts_together():
    embedded = [Embedded(part(len(NAMES), s), part(len(OTHERS), 10 + s)) for s in range(2)]
    found = score(embedded, TRIALS, COHORT)
    own, others = [e.trials for e in embedded], [e.cohort for e in embedded]
    assert list(found) == [RAW, AS_NORM]
    np.testing.assert_array_equal(found[RAW], mean_of_cosines(own, TRIALS.enrol, TRIALS.test))
    np.testing.assert_array_equal(
        found[AS_NORM], mean_of_as_norms(own, others, COHORT, TRIALS.enrol, TRIALS.test)
    )  # fmt: skip


def test_without_a_cohort_or_where_a_part_has_none_there_are_raw_scores_only():
    with_cohort, without = Embedded(part(len(NAMES), 0), part(len(OTHERS), 1)), Embedded(part(len(NAMES), 2))
    assert list(score([with_cohort], TRIALS)) == [RAW]
    assert list(score([with_cohort, without], TRIALS, COHORT)) == [RAW]


def test_a_system_of_no_parts_is_refused():
    with pytest.raises(AvsieveError, match="nothing to score with"):
        score([], TRIALS, COHORT)
