from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.anchor_ranks import CAVEAT
from avsieve.errors import AvsieveError
from avsieve.inspection.anchor_ranks import rank_anchors
from avsieve.inspection.anchors import Anchor, Anchors
from avsieve.inspection.anchors_text import anchor_lines
from avsieve.inspection.decided import Decided


def anchors_of(decided: Decided) -> list[Anchor]:
    """Return the surest flagged one, the least suspicious judged one, a suspected one, and one of another corpus."""
    order = np.argsort(np.where(decided.judged, decided.p_wrong, -1), kind="stable")
    judged = order[decided.judged[order]]
    surest, least = decided.names(np.array([judged[-1], judged[0]]))
    second = decided.names(judged[-2:-1])[0]
    return [
        Anchor(surest, "confirmed", 8, 4, 8),
        Anchor(least, "confirmed", 8, 4, 8),
        Anchor("id88888/v/1", "confirmed", 2, 1, 2),
        Anchor(second, "suspected", 1, 1, 0),
    ]


def test_a_run_ranks_them_by_its_probability_and_recall_is_of_the_confirmed(decided: Decided) -> None:
    known = anchors_of(decided)
    found = rank_anchors(known, decided, "results")
    n = int(decided.judged.sum())
    surest, least, suspected = found.ranked
    assert (surest.utterance, surest.rank, surest.flagged) == (known[0].utterance, 1, True)
    assert surest.kind in {"video", "audio", "visual"}
    assert surest.percentile == pytest.approx(
        100 * (n - (decided.p_wrong >= np.nanmax(decided.p_wrong)).sum()) / n, abs=0.01
    )
    assert (least.utterance, least.percentile, least.flagged, least.kind) == (known[1].utterance, 0.0, False, None)
    assert suspected.status == "suspected"
    assert (found.judged, found.known, found.flagged, found.absent, found.recall) == (n, 2, 1, 1, 0.5)
    # Wilson's interval of 1 of 2.
    assert (found.low, found.high) == pytest.approx((0.0945, 0.9055), abs=1e-3)
    assert found.as_json()["caveat"] == CAVEAT


def test_the_words_tell_recall_with_its_interval_and_that_it_is_no_precision(decided: Decided) -> None:
    known = anchors_of(decided)
    lines = anchor_lines(Anchors(100, 90, 10, 4, 9, 0, known), rank_anchors(known, decided, "results"))
    assert any(line.split()[:2] == ["recall", "0.500"] and "95 % 0.095 to 0.905" in line for line in lines)
    assert "This is recall, not precision" in " ".join(lines)
    without = anchor_lines(Anchors(100, 90, 10, 4, 9, 0, known))
    assert not any("recall" in line for line in without)
    assert any(known[0].utterance in line and "confirmed" in line for line in without)


def test_a_run_of_other_utterances_is_refused(decided: Decided) -> None:
    stranger = Anchor("id88888/v/1", "confirmed", 2, 1, 2)
    with pytest.raises(AvsieveError, match=r"none of the 1 removed utterances is in the run \(the first: id88888/v/1"):
        rank_anchors([stranger], decided, "results")
    suspected = Anchor(decided.names(np.array([0]))[0], "suspected", 1, 1, 0)
    found = rank_anchors([stranger, suspected], decided, "results")
    assert (found.known, found.recall, found.low) == (0, None, None)
