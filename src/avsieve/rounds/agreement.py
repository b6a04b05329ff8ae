"""What a round says of the list that the one before did not."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from avsieve.cleansing.agreement import compare

NOISY = "noisy"


def changes(before: pd.DataFrame, after: pd.DataFrame, truth: pd.DataFrame | None = None) -> dict[str, Any]:
    """Compare the decisions of two rounds.

    Parameters
    ----------
    before, after
        ``decisions.parquet`` of each; what lacks a voice or a face counts as not flagged.
    truth
        ``utterance`` and ``kind``, if known.

    Returns
    -------
    ``utterances``, ``flagged``, ``both``, ``newly_flagged``, ``acquitted``, ``agreement``, Cohen's ``kappa`` and
    ``jaccard`` (of what is flagged; both None where nothing is), and counts by the kind that the flagging round names
    (``newly_flagged_by_kind``, ``acquitted_by_kind``). With the truth, by what is really wrong (``clean``: nothing):
    ``newly_flagged_by_truth``, ``acquitted_by_truth``.
    """
    old, new = before.set_index("utterance"), after.set_index("utterance")
    counts, _ = compare(old["decision"] != NOISY, new["decision"] != NOISY)
    common = old.index.intersection(new.index)
    old, new = old.loc[common], new.loc[common]
    was, is_now = old["decision"] == NOISY, new["decision"] == NOISY
    either = counts.only_first + counts.only_second + counts.both_noisy
    found = {
        "utterances": counts.utterances,
        "flagged": counts.only_second + counts.both_noisy,
        "both": counts.both_noisy,
        "newly_flagged": counts.only_second,
        "acquitted": counts.only_first,
        "agreement": counts.agreement,
        "kappa": None if math.isnan(counts.kappa) else counts.kappa,
        "jaccard": counts.both_noisy / either if either else None,
        "newly_flagged_by_kind": _counted(new.loc[is_now & ~was, "kind"]),
        "acquitted_by_kind": _counted(old.loc[was & ~is_now, "kind"]),
    }
    if truth is not None:
        kind = truth.drop_duplicates("utterance").set_index("utterance")["kind"].reindex(common)
        found["newly_flagged_by_truth"] = _counted(kind[is_now & ~was])
        found["acquitted_by_truth"] = _counted(kind[was & ~is_now])
    return found


def _counted(kinds: pd.Series) -> dict[str, int]:
    return {str(kind): int(n) for kind, n in sorted(kinds.value_counts().items())}
