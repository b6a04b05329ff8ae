"""What cleansing leaves behind: the lists, the table of decisions, and a summary that does not hide its doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from avsieve.cleansing.decisions import Decisions, decide
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores, read_scores, rows_of
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.suggestions import Suggestions, find_merges, suggest
from avsieve.cleansing.summary import summarise
from avsieve.lists.train_list import read_train_list, write_clean_list, write_train_list
from avsieve.runtime.memory import release_memory
from avsieve.storage.atomic import write_json
from avsieve.storage.tables import write_table


def cleanse(
    scores: Scores,
    seconds: Sequence[str],
    out: str | Path,
    settings: Cleansing,
    *,
    embeddings: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Judge, decide and write the cleansed lists, the decisions and the summary under ``out``; return the summary.

    ``train_clean.txt`` has what is believed right and lacks nothing; ``train_clean_audio.txt`` and
    ``train_clean_visual.txt`` what a training on voices or faces alone may take, each judged by its own probability.

    Parameters
    ----------
    scores
        In the order of ``train_all.txt``.
    seconds
        (n,) durations as text.
    settings
        The method with its options, the policy and the threshold.
    embeddings
        Per modality, each utterance's reason: ``ok`` where it has an embedding, else why it has none. It stands in the
        decisions as ``<modality>_embedding`` and is counted in the summary.
    """
    out = Path(out)
    judgement = judge(scores, settings.method, settings.options)
    release_memory()
    decisions = decide(scores, judgement, settings.policy, settings.threshold)
    right = np.where(np.isnan(judgement.wrong), 0.0, 1 - np.nan_to_num(judgement.wrong))
    suggestions = suggest(scores, right, decisions.kind)
    merges = find_merges(scores, right)
    summary = summarise(scores, judgement, decisions, suggestions, merges, settings.policy)
    summary["embeddings"] = {m: dict(sorted(Counter(reasons).items())) for m, reasons in (embeddings or {}).items()}
    summary["settings"] = settings.model_dump()
    utterances = scores.utterance.tolist()
    similarities = scores.audio.similarity, scores.visual.similarity
    write_clean_list(out / "train_all_clean.txt", utterances, seconds, *similarities, decisions.clean)
    of_modality = {f"train_clean_{m}.txt": rows for m, rows in decisions.usable.items()}
    for name, rows in {"train_clean.txt": decisions.clean, **of_modality}.items():
        write_train_list(out / name, *(list(compress(texts, rows)) for texts in (utterances, seconds)))
    release_memory()
    table = decision_table(scores, judgement, decisions, suggestions)
    for m, reasons in (embeddings or {}).items():
        table = table.append_column(f"{m}_embedding", pa.array(reasons, pa.string()))
    write_table(out / "decisions.parquet", table)
    write_json(out / "summary.json", summary)
    return summary


def cleanse_list(train_list: str | Path, scores: str | Path, out: str | Path, settings: Cleansing) -> None:
    """Do what `cleanse` does with the evidence of a file, in the order of the list of all utterances."""
    listed = read_train_list(train_list)
    # A million texts of their own take much memory, and many utterances are equally long.
    utterances, seconds = listed["utterance"].tolist(), listed["seconds"].astype("category").astype(object).tolist()
    del listed
    evidence = read_scores(scores, utterances)
    release_memory()
    cleanse(evidence, seconds, out, settings)


def decision_table(scores: Scores, judgement: Judgement, decisions: Decisions, suggestions: Suggestions) -> pa.Table:
    """Return one row per utterance: probabilities, kind, suggestion, decision, reason, and the facts beside them."""
    names = np.array([*scores.speakers, None], dtype=object)
    columns = {
        "utterance": _column(scores.utterance),
        "speaker": _column(names[scores.speaker]),
        "p_audio_wrong": _column(judgement.audio_wrong),
        "p_visual_wrong": _column(judgement.visual_wrong),
        "p_wrong": _column(judgement.wrong),
        "kind": _column(decisions.kind),
        "suggested_speaker": _column(names[suggestions.speaker]),
        "p_suggested": _column(suggestions.probability),
        "decision": _column(decisions.decision),
        "reason": _column(decisions.reason),
    }
    for m, e in scores.evidence.items():
        columns |= {
            f"{m}_similarity": _column(e.similarity),
            f"{m}_nearest_speaker": _column(names[e.other_speaker[:, 0]]),
            f"{m}_nearest_similarity": _column(e.other[:, 0]),
            f"{m}_margin": _column(e.margin),
            f"{m}_fallback": _column(e.fallback),
        }
    return pa.table(columns)


def _column(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float32()) if values.dtype.kind == "f" else pa.array(values)


def in_order_of(scores: Scores, utterances: Sequence[str]) -> Scores:
    """Return the scores of ``utterances``, in their order.

    Raises
    ------
    AvsieveError
        If one of them was not scored.
    """
    return scores.take(rows_of(scores.utterance, utterances))
