from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from avsieve.cleansing.score_interval import score_interval
from avsieve.inspection.decided import Coded, Decided, videos_of
from avsieve.inspection.groups import Groups


def decisions_of(rows: list[tuple[str, float | None]]) -> Decided:
    """Return decisions of (utterance, probability) rows: flagged above 0.5, not judged where there is none."""
    names = pa.array([name for name, _ in rows])
    p = np.array([np.nan if x is None else x for _, x in rows], np.float32)
    wrong = np.nan_to_num(p) > 0.5
    texts = {"kind": ("video", ""), "decision": ("noisy", "clean"), "reason": ("wrong_video", "ok")}
    column = {k: Coded.of(pa.array(np.where(wrong, *v).astype(object))) for k, v in texts.items()}
    column["suggested"] = Coded.of(pa.array([None] * len(rows), pa.string()))
    column["speaker"] = Coded.of(pa.array([name.split("/")[0] for name, _ in rows]))
    numbers = dict.fromkeys(("p_audio_wrong", "p_visual_wrong", "p_wrong", "p_suggested"), p)
    return Decided(names, video=Coded.of(videos_of(names)), **column, **numbers)


def test_the_score_interval_is_that_of_the_literature() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    low, high = score_interval(np.array([81, 15, 0, 1]), np.array([263, 148, 20, 29]))
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)
    assert [float(x[0]) for x in score_interval(np.array([0]), np.array([0]))] == [0.0, 1.0]


def test_a_speaker_with_one_utterance_does_not_top_the_list() -> None:
    many = [(f"many/v{k % 4}/{k}", 0.9 if k < 10 else 0.1) for k in range(12)]
    groups = Groups(decisions_of([("one/v/0", 0.99), *many, ("fine/v/0", 0.0)]), "speaker")
    assert [g.name for g in groups.worst(5)] == ["many", "one"]
    assert [g.name for g in groups.worst(5, least=2)] == ["many"]
    assert groups.worst(5)[1].share == 1.0


def test_what_is_not_judged_is_no_part_of_the_share() -> None:
    groups = Groups(decisions_of([("a/v/0", 0.9), ("a/v/1", None), ("a/w/0", 0.1), ("a/w/1", 0.2)]), "speaker")
    found = groups.group(0)
    assert (found.utterances, found.judged, found.flagged, found.videos, found.videos_flagged) == (4, 3, 1, 2, 1)
    assert found.share == pytest.approx(1 / 3)
    assert found.expected_wrong == pytest.approx(1.2)
    assert found.as_json()["share"] == 0.3333


@pytest.mark.parametrize("what", ["speaker", "video"])
def test_groups_count_as_a_plain_table_does(what, decided: Decided, table: pd.DataFrame) -> None:
    key = table["speaker"] if what == "speaker" else table["utterance"].str.rsplit("/", n=1).str[0]
    flagged = (table["decision"] == "noisy").groupby(key).sum()
    groups = Groups(decided, what)
    assert dict(zip(groups.name, groups.flagged.tolist(), strict=True)) == flagged.to_dict()
    assert dict(zip(groups.name, groups.utterances.tolist(), strict=True)) == key.value_counts().to_dict()


def test_speakers_that_are_left_with_few_are_those_who_lose_some() -> None:
    rows = [("a/v/0", 0.9), ("a/w/0", 0.1), ("b/v/0", 0.1), *((f"c/v/{k}", 0.9 if k else 0.1) for k in range(9))]
    groups = Groups(decisions_of(rows), "speaker")
    assert sorted(groups.name[groups.left_with_fewer(2)]) == ["a", "c"]
