from __future__ import annotations

import numpy as np
import pyarrow as pa

from avsieve.inspection.decided import Decided, decided_of
from avsieve.report.suggested import Pair, suggested_pairs


def decided(rows: list[tuple[str, str, str | None, float]]) -> Decided:
    """Return decisions: utterance, decision, suggested speaker, its probability."""
    utterance, decision, suggested, p = (list(column) for column in zip(*rows, strict=True))
    n = len(rows)
    texts = {"utterance": utterance, "decision": decision, "suggested_speaker": suggested}
    texts |= {"speaker": [u.split("/")[0] for u in utterance], "kind": ["video"] * n, "reason": ["ok"] * n}
    numbers = {"p_suggested": p, **{name: [0.9] * n for name in ("p_wrong", "p_audio_wrong", "p_visual_wrong")}}
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return decided_of(pa.table(columns | {k: pa.array(v, pa.float32()) for k, v in numbers.items()}))


def test_pairs_are_counted_by_clips_and_videos_with_their_mean_probability() -> None:
    rows = [
        ("a/v/1", "noisy", "b", 0.5), ("a/v/2", "noisy", "b", 1.0), ("a/w/1", "noisy", "b", np.nan),
        ("a/w/2", "noisy", "c", 0.75), ("b/v/1", "noisy", "a", np.nan), ("b/v/2", "noisy", None, np.nan),
        ("c/v/1", "clean", "a", 0.9),
    ]  # fmt: skip
    found = suggested_pairs(decided(rows))
    assert (found.of, found.clips) == (3, 5)
    assert found.pairs == [Pair("a", "b", 3, 2, 0.75), Pair("a", "c", 1, 1, 0.75), Pair("b", "a", 1, 1, None)]


def test_only_so_many_pairs_are_shown() -> None:
    rows = [(f"a/v/{k}", "noisy", f"s{k:02}", 0.9) for k in range(20)]
    found = suggested_pairs(decided(rows), most=4)
    assert [pair.suggested for pair in found.pairs] == ["s00", "s01", "s02", "s03"]
    assert (found.of, found.clips) == (20, 20)


def test_without_suggestions_there_are_no_pairs() -> None:
    assert suggested_pairs(decided([("a/v/1", "noisy", None, np.nan)])).pairs == []
