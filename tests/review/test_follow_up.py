from __future__ import annotations

import numpy as np
import pytest

from avsieve.review.follow_up import follow_up, whole_videos
from avsieve.review.plan import Plan


@pytest.fixture
def plan() -> Plan:
    """Two clips of v1, two of v2 (a flagged one and another), the only clip of v3."""
    rows = [
        ("a/v1/1", "sampled", "flagged-1", "a/v1/9"), ("a/v1/2", "sampled", "flagged-1", "a/v1/9"),
        ("a/v2/1", "certain", "certain", "a/v2/9"), ("a/v2/2", "certain", "certain", "a/v2/9"),
        ("b/v3/1", "sampled", "other-1", ""), ("b/v4/1", "sampled", "other-2", ""),
        ("b/v4/2", "sampled", "other-2", ""),
    ]  # fmt: skip
    utterance, arm, stratum, third = (list(column) for column in zip(*rows, strict=True))
    speaker, video = [u.split("/")[0] for u in utterance], [u.rsplit("/", 1)[0] for u in utterance]
    return Plan(utterance, speaker, video, arm, stratum, np.ones(len(rows)), third, 7, 1, "a" * 64)


@pytest.mark.parametrize(
    ("first", "second", "due"),
    [
        ("wrong_clip", "wrong_clip", True),
        ("wrong_clip", "other_speaker", True),  # the voice and the face are another's, whoever that is
        ("wrong_voice", "wrong_voice", True),
        ("wrong_voice", "wrong_clip", False),
        ("wrong_voice", "wrong_face", False),
        ("wrong_clip", "right", False),
        ("right", "right", False),
        ("unsure", "unsure", False),
        ("wrong_clip", None, False),
    ],
)
def test_a_third_clip_is_due_where_both_are_wrong_alike(plan, first, second, due) -> None:
    said = {"a/v1/1": first, "a/v1/2": second}
    decisions = {u: word for u, word in said.items() if word}
    assert follow_up(plan, decisions) == (["a/v1/9"] if due else [])
    assert whole_videos(plan, decisions) == []


def test_what_was_judged_is_not_due_and_settles_the_video_where_it_is_wrong_alike(plan) -> None:
    both = {"a/v1/1": "wrong_voice", "a/v1/2": "wrong_voice"}
    assert follow_up(plan, both | {"a/v1/9": "right"}) == []
    assert whole_videos(plan, both | {"a/v1/9": "right"}) == []
    assert whole_videos(plan, both | {"a/v1/9": "wrong_clip"}) == []
    assert whole_videos(plan, both | {"a/v1/9": "wrong_voice"}) == ["a/v1"]


def test_they_come_in_the_order_of_the_plan_from_both_arms_and_not_where_there_is_no_third(plan) -> None:
    decisions = dict.fromkeys(plan.utterance, "wrong_clip")
    assert follow_up(plan, decisions) == ["a/v1/9", "a/v2/9"]
    assert follow_up(plan, {}) == []
