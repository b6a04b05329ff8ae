"""Where a finished run has utterances that the maintainers of a trial list removed by hand."""

from __future__ import annotations

from avsieve.cleansing.anchor_ranks import Found, Judged, rank
from avsieve.inspection.anchors import Anchor
from avsieve.inspection.decided import Decided


def rank_anchors(anchors: list[Anchor], decided: Decided, name: str) -> Found:
    """Look the utterances up in the decisions of a run.

    Raises
    ------
    AvsieveError
        If the run, which messages call ``name``, has none of them.
    """

    def words(row: int) -> tuple[str | None, str | None, str | None]:
        return decided.kind.text(row) or None, decided.decision.text(row), decided.reason.text(row)

    judged = Judged(decided.utterance, decided.p_wrong, decided.flagged, words)
    return rank([(anchor.utterance, anchor.status) for anchor in anchors], judged, name)
