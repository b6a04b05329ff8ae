"""What cleansing leaves behind: the lists, the table of decisions, and a summary that does not hide its doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from avsieve.atomic import write_json
from avsieve.cleansing.decisions import Decisions, decide, expected
from avsieve.cleansing.judgement import Judgement
from avsieve.cleansing.registry import judge
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.suggestions import Merge, Suggestions, find_merges, suggest
from avsieve.errors import AvsieveError
from avsieve.lists import write_clean_list, write_train_list
from avsieve.tables import write_table

_SHOWN = 50  # speakers named in a warning of the summary; all are in the table
_DOUBT = 0.25  # who a speaker is, is in doubt where somebody else may be them with this probability


def cleanse(
    scores: Scores,
    seconds: Sequence[str],
    out: str | Path,
    *,
    method: str = "posterior",
    policy: str = "either",
    threshold: float = 0.5,
    options: dict[str, Any] | None = None,
    embeddings: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Judge, decide and write the cleansed lists, the decisions and the summary under ``out``; return the summary.

    Parameters
    ----------
    scores
        In the order of ``train_all.txt``.
    seconds
        (n,) durations as text.
    method, options
        See `avsieve.cleansing.registry.judge`.
    policy, threshold
        See `avsieve.cleansing.decisions.decide`.
    embeddings
        Per modality, each utterance's reason: ``ok`` where it has an embedding, else why it has none. It stands in the
        decisions as ``<modality>_embedding`` and is counted in the summary.
    """
    out = Path(out)
    judgement = judge(scores, method, **(options or {}))
    decisions = decide(scores, judgement, policy, threshold)
    right = np.where(np.isnan(judgement.wrong), 0.0, 1 - np.nan_to_num(judgement.wrong))
    suggestions = suggest(scores, right, decisions.kind)
    merges = find_merges(scores, right)
    summary = summarise(scores, judgement, decisions, suggestions, merges)
    summary["embeddings"] = {m: dict(sorted(Counter(reasons).items())) for m, reasons in (embeddings or {}).items()}
    summary["settings"] = {"method": method, "policy": policy, "threshold": threshold, "options": options or {}}
    utterances = scores.utterance.tolist()
    similarities = scores.audio.similarity, scores.visual.similarity
    write_clean_list(out / "train_all_clean.txt", utterances, seconds, *similarities, decisions.clean)
    keep = np.flatnonzero(decisions.clean).tolist()
    write_train_list(out / "train_clean.txt", [utterances[i] for i in keep], [seconds[i] for i in keep])
    table = decision_table(scores, judgement, decisions, suggestions)
    for m, reasons in (embeddings or {}).items():
        table = table.append_column(f"{m}_embedding", pa.array(reasons, pa.string()))
    write_table(out / "decisions.parquet", table)
    write_json(out / "summary.json", summary)
    return summary


def decision_table(scores: Scores, judgement: Judgement, decisions: Decisions, suggestions: Suggestions) -> pa.Table:
    """Return one row per utterance: probabilities, kind, suggestion, decision, reason, and the facts beside them."""
    names = np.array([*scores.speakers, None], dtype=object)
    columns: dict[str, Any] = {
        "utterance": scores.utterance,
        "speaker": names[scores.speaker],
        "p_audio_wrong": judgement.audio_wrong,
        "p_visual_wrong": judgement.visual_wrong,
        "p_wrong": judgement.wrong,
        "kind": decisions.kind,
        "suggested_speaker": names[suggestions.speaker],
        "p_suggested": suggestions.probability,
        "decision": np.where(decisions.clean, "clean", "noisy"),
        "reason": decisions.reason,
    }
    for m, e in scores.evidence.items():
        columns |= {
            f"{m}_similarity": e.similarity,
            f"{m}_nearest_speaker": names[e.other_speaker[:, 0]],
            f"{m}_nearest_similarity": e.other[:, 0],
            f"{m}_margin": e.margin,
            f"{m}_fallback": e.fallback,
        }
    return pa.table({k: pa.array(v, pa.float32()) if _is_float(v) else pa.array(v) for k, v in columns.items()})


def _is_float(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"


def summarise(
    scores: Scores, judgement: Judgement, decisions: Decisions, suggestions: Suggestions, merges: list[Merge]
) -> dict[str, Any]:
    """Return counts, what precision and recall to expect, and warnings about speakers."""
    flagged = ~decisions.clean
    count = len(scores.speakers)
    total = np.bincount(scores.speaker, minlength=count)
    gone = np.bincount(scores.speaker[flagged], minlength=count)
    emptied = [scores.speakers[i] for i in np.flatnonzero((total > 0) & (gone == total))]
    mostly = [scores.speakers[i] for i in np.flatnonzero((gone > 0.5 * total) & (gone < total))]
    split = split_speakers(scores)
    doubt = np.zeros(count)
    doubt[scores.speaker] = scores.doubt
    return {
        "utterances": len(scores),
        "speakers": int((total > 0).sum()),
        "clean": int(decisions.clean.sum()),
        "noisy": int(flagged.sum()),
        "noisy_by_kind": dict(sorted(Counter(k for k in decisions.kind.tolist() if k).items())),
        "reasons": dict(sorted(Counter(decisions.reason.tolist()).items())),
        "suggested_speakers": int((suggestions.speaker >= 0).sum()),
        "estimated": expected(decisions) if judgement.calibrated else None,
        "missing": {m: int((~e.present).sum()) for m, e in scores.evidence.items()},
        "fallback": {m: int(e.fallback.sum()) for m, e in scores.evidence.items()},
        "method": judgement.facts,
        "warnings": {
            "emptied_speakers": _some(emptied),
            "mostly_wrong_speakers": _some(mostly),
            "two_identities": _some(split),
            "in_doubt": _some([scores.speakers[i] for i in np.flatnonzero(doubt > _DOUBT)]),
            "merge": [[m.first, m.second, m.likeness] for m in merges[:_SHOWN]],
            "merge_count": len(merges),
        },
    }


def split_speakers(scores: Scores, least_share: float = 0.2) -> list[str]:
    """Name the speakers of whom a second person, seen in several videos, holds at least ``least_share``."""
    count = len(scores.speakers)
    total = np.bincount(scores.speaker, minlength=count)
    second = np.bincount(scores.speaker, weights=scores.second, minlength=count)
    return [scores.speakers[i] for i in np.flatnonzero((total > 0) & (second >= least_share * total) & (second > 1))]


def _some(names: list[str]) -> dict[str, Any]:
    return {"count": len(names), "speakers": names[:_SHOWN]}


def in_order_of(scores: Scores, utterances: Sequence[str]) -> Scores:
    """Return the scores of ``utterances``, in their order.

    Raises
    ------
    AvsieveError
        If one of them was not scored.
    """
    position = {u: i for i, u in enumerate(scores.utterance.tolist())}
    if missing := [u for u in utterances if u not in position]:
        raise AvsieveError(
            f"{len(missing)} of {len(utterances)} utterances of the plan are not in the scores, "
            f"for example {missing[0]}; score the shards of this plan again"
        )
    return scores.take(np.array([position[u] for u in utterances], dtype=np.int64))
