"""The summary of a cleansing: counts, coverage, what to expect of it, and warnings, in figures and in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from avsieve.cleansing.decisions import Decision, Decisions, expected, needed_modalities
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.reviewed import Review
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.suggestions import Merge, Suggestions

LEAST_COVERAGE = 0.9  # share of the list that has an embedding, below which there is a warning
_SHOWN = 50  # speakers named in a warning of the summary; all are in the table
_DOUBT = 0.25  # who a speaker is, is in doubt where somebody else may be them with this probability


def summarise(
    scores: Scores,
    judgement: Judgement,
    decisions: Decisions,
    suggestions: Suggestions,
    merges: list[Merge],
    policy: str = "either",
    review: Review | None = None,
) -> dict[str, Any]:
    """Return what ``summary.json`` holds but the settings."""
    n, count = len(scores), len(scores.speakers)
    total = np.bincount(scores.speaker, minlength=count)
    wrong = {"audio": judgement.audio_wrong, "visual": judgement.visual_wrong}
    coverage = {
        m: {
            "embeddings": int(e.present.sum()),
            "of": n,
            "share": round(float(e.present.mean()), 4) if n else 0.0,
            "not_finite": int(e.not_finite.sum()),
            "not_judged": int((e.present & np.isnan(wrong[m])).sum()),
        }
        for m, e in scores.evidence.items()
    }
    judged = ~np.isnan(decisions.probability)
    decided = Counter(decisions.decision)
    recalibration = judgement.facts.get("recalibration")
    return {
        "utterances": n,
        "speakers": int((total > 0).sum()),
        **{d.value: decided[d.value] for d in Decision},
        "noisy_by_kind": dict(sorted(Counter(k for k in decisions.kind if k).items())),
        "reasons": dict(sorted(Counter(decisions.reason).items())),
        "needed": list(needed_modalities(scores, policy)),
        "lists": {
            "train_clean": int(decisions.clean.sum()),
            **{f"train_clean_{m}": int(rows.sum()) for m, rows in decisions.usable.items()},
        },
        "suggested_speakers": int((suggestions.speaker >= 0).sum()),
        "estimated": expected(decisions) if judgement.calibrated and judged.any() else None,
        "coverage": coverage,
        "missing": {m: int((~e.present).sum()) for m, e in scores.evidence.items()},
        "fallback": {m: int(e.fallback.sum()) for m, e in scores.evidence.items()},
        "method": {name: fact for name, fact in judgement.facts.items() if name != "recalibration"},
        "warnings": _warnings(scores, judgement, decisions, merges, coverage),
        **({} if review is None else {"review": review.facts | {"recalibration": recalibration}}),
    }


def _warnings(
    scores: Scores, judgement: Judgement, decisions: Decisions, merges: list[Merge], coverage: dict[str, Any]
) -> dict[str, Any]:
    count = len(scores.speakers)

    def of_speakers(rows: np.ndarray) -> np.ndarray:
        return np.bincount(scores.speaker[rows], minlength=count)

    total, kept = of_speakers(np.arange(len(scores))), of_speakers(decisions.clean)
    noisy = of_speakers(decisions.noisy)
    emptied = (total > 0) & (kept == 0)
    doubt = np.zeros(count)
    doubt[scores.speaker] = scores.doubt
    found = {
        # Lost to wrong labels, or because voices or faces were not found: two stories with two remedies.
        "emptied_speakers": emptied & (noisy > 0),
        "incomplete_speakers": emptied & (noisy == 0),
        "mostly_wrong_speakers": (noisy > kept) & (kept > 0),
        "two_identities": _split(scores),
        "in_doubt": doubt > _DOUBT,
    }
    unjudged = ~decisions.incomplete & np.isnan(decisions.probability)
    low = {m: c["share"] for m, c in coverage.items() if 0 < c["embeddings"] < LEAST_COVERAGE * c["of"]}
    return {
        **{name: _some([scores.speakers[i] for i in np.flatnonzero(rows)]) for name, rows in found.items()},
        "merge": [[m.first, m.second, m.likeness] for m in merges[:_SHOWN]],
        "merge_count": len(merges),
        "not_judged": {
            "count": int(unjudged.sum()),
            "judged": int((~np.isnan(decisions.probability)).sum()),
            "why": judgement.unjudged,
        },
        "low_coverage": low,
    }


def _split(scores: Scores, least_share: float = 0.2) -> np.ndarray:
    """Tell of which speakers a second person, seen in several videos, holds at least ``least_share``."""
    count = len(scores.speakers)
    total = np.bincount(scores.speaker, minlength=count)
    second = np.bincount(scores.speaker, weights=scores.second, minlength=count)
    return (total > 0) & (second >= least_share * total) & (second > 1)


def _some(names: list[str]) -> dict[str, Any]:
    return {"count": len(names), "speakers": names[:_SHOWN]}
