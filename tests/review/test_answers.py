from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from avsieve.review.answers import answers_to, read_answers
from avsieve.review.draw import CERTAIN, draw
from avsieve.review.entry import ReviewError
from avsieve.review.log import ReviewLog
from avsieve.review.plan import plan_of
from avsieve.review.sample import sample_of

from .populations import judged, population, said


@pytest.fixture
def drawn():
    some, wrong = population()
    return plan_of(some, draw(some, 60, 1), 60, 1), some, wrong


def test_labels_are_found_and_what_nobody_judged_is_open(drawn) -> None:
    plan, some, wrong = drawn
    answers = answers_to(plan, some, judged(plan, some, wrong))
    assert answers.label.tolist() == wrong[answers.row].astype(float).tolist()
    assert answers.counted.all()
    assert answers.unsure == 0
    nothing = answers_to(plan, some, [])
    assert not nothing.judged.any()
    assert not nothing.counted.any()


def test_of_a_stratum_only_what_was_judged_without_a_gap_counts_and_all_of_the_certain_arm(drawn) -> None:
    plan, some, wrong = drawn
    rows = [k for k in range(len(plan)) if plan.stratum[k] == "other-2"]
    units = list(dict.fromkeys(plan.unit(k) for k in rows))
    gap = next(k for k in rows if plan.unit(k) == units[1])
    certain = plan.arm.index(CERTAIN)
    reviewed = [r for k, r in enumerate(judged(plan, some, wrong)) if k not in (gap, certain)]
    counted = answers_to(plan, some, reviewed).counted
    assert [plan.unit(k) for k in rows if counted[k]] == [plan.unit(k) for k in rows if plan.unit(k) == units[0]]
    others = [k for k in range(len(plan)) if k not in rows and k != certain]
    assert counted[others].all()


def test_unsure_ones_count_as_either(drawn) -> None:
    plan, some, wrong = drawn
    reviewed = judged(plan, some, wrong)
    reviewed[0] = said(plan.utterance[0], None)
    answers = answers_to(plan, some, reviewed)
    assert answers.unsure == 1
    assert answers.counted.all()
    assert [answers.with_unsure_as(x).label[0] for x in (0.0, 1.0)] == [0, 1]
    assert answers.with_unsure_as(1.0).label[1:].tolist() == answers.label[1:].tolist()


def test_a_plan_of_other_clips_is_refused(drawn) -> None:
    plan, some, _ = drawn
    other = replace(some, utterance=pa.array([f"x{name}" for name in some.utterance.to_pylist()]))
    with pytest.raises(ReviewError, match=r"of the plan has no probability in the decisions; .*--new-plan"):
        answers_to(plan, other, [])


def test_strata_that_another_version_cut_are_refused(drawn) -> None:
    plan, some, _ = drawn
    stratum = [{"other-1": "other-5"}.get(name, name) for name in plan.stratum]
    with pytest.raises(ReviewError, match="the plan has other-5 where this version of avsieve has other-1"):
        sample_of(replace(plan, stratum=stratum), some, answers_to(plan, some, []))


def test_a_folder_without_a_log_has_no_answers_yet(tmp_path: Path) -> None:
    assert read_answers(tmp_path / "nowhere").rows == []
    assert read_answers(tmp_path).rows == []
    ReviewLog(tmp_path, "ann").append("a/v/1", "right")
    assert [row.utterance for row in read_answers(tmp_path).rows] == ["a/v/1"]


def test_a_sample_has_what_was_seen_of_each_stratum(drawn) -> None:
    plan, some, wrong = drawn
    sample = sample_of(plan, some, answers_to(plan, some, judged(plan, some, wrong)))
    assert sum(s.clips for s in sample.strata) + sum(len(p.rows) + len(p.seen) for p in sample.pairs) == len(some)
    assert sum(s.seen for s in sample.strata) == plan.arm.count("sampled")
    for s in sample.strata:
        assert s.units <= s.seen <= 2 * s.units
        assert s.seen / (1 + 0.5 + 0.1 * s.seen) <= s.counts <= s.seen  # clips of a video or speaker count less
        assert s.units_whole <= s.units_wrong <= s.units
        assert 0 <= s.mean <= 1
        assert (s.wrong > 0) == (s.share > 0)
    row = {name: k for k, name in enumerate(some.utterance.to_pylist())}
    certain = [row[u] for u, arm in zip(plan.utterance, plan.arm, strict=True) if arm == CERTAIN]
    assert sum(p.label.sum() for p in sample.pairs) == wrong[certain].sum()
    assert np.concatenate([p.seen for p in sample.pairs]).size == len(certain)
