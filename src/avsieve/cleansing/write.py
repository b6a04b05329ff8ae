"""What cleansing leaves behind: the lists, the table of decisions, and a summary that does not hide its doubts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from avsieve.cleansing.anchor_ranks import Judged, rank, read_anchor_table
from avsieve.cleansing.decisions import Decisions, decide
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.reviewed import Review, match, named, with_review
from avsieve.cleansing.scores import Scores, read_scores, rows_of
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.suggestions import Suggestions, find_merges, suggest
from avsieve.cleansing.summary import summarise
from avsieve.cleansing.warning_texts import review_in_words
from avsieve.lists.train_list import read_train_list, write_clean_list, write_train_list
from avsieve.review.table import read_review
from avsieve.runtime.memory import release_memory
from avsieve.storage.atomic import write_json
from avsieve.storage.provenance import sha256_of
from avsieve.storage.tables import write_table

logger = logging.getLogger(__name__)


def cleanse(
    scores: Scores,
    seconds: Sequence[str],
    out: str | Path,
    settings: Cleansing,
    *,
    embeddings: Mapping[str, Sequence[str]] | None = None,
    list_sha256: str | None = None,
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
        The method with its options, the policy, the threshold, and the table of reviews.
    embeddings
        Per modality, each utterance's reason: ``ok`` where it has an embedding, else why it has none. It stands in the
        decisions as ``<modality>_embedding`` and is counted in the summary.
    list_sha256
        The digest of ``train_all.txt``, which reviews may have been made on.

    Raises
    ------
    ReviewError
        If the table of reviews cannot be read, or is of another corpus.
    AvsieveError
        If the table of anchors cannot be read, or none of them is in the list.
    """
    out = Path(out)
    anchors = None if settings.anchors is None else read_anchor_table(settings.anchors)
    review = None
    if settings.review is not None:  # before the judging, which takes long: it may be another corpus's
        review = match(scores, read_review(settings.review), settings.review, list_sha256)
    machine = judge(scores, settings.method, settings.options)
    judgement = machine if review is None else with_review(machine, review)
    release_memory()
    by_person = None if review is None else review.decided
    decisions = decide(scores, judgement, settings.policy, settings.threshold, by_person)
    alone = decisions if review is None else decide(scores, machine, settings.policy, settings.threshold)
    right = np.where(np.isnan(judgement.wrong), 0.0, 1 - np.nan_to_num(judgement.wrong))
    suggestions = suggest(scores, right, decisions.kind)
    if review is not None:
        suggestions = named(suggestions, review, scores, decisions.kind)
    merges = find_merges(scores, right)
    summary = summarise(scores, judgement, decisions, suggestions, merges, settings.policy, review)
    summary["embeddings"] = {m: dict(sorted(Counter(reasons).items())) for m, reasons in (embeddings or {}).items()}
    summary["settings"] = settings.model_dump()
    if anchors is not None:
        summary["anchors"] = _ranks(anchors, scores, machine, alone, str(settings.anchors))
    utterances = scores.utterance.tolist()
    similarities = scores.audio.similarity, scores.visual.similarity
    write_clean_list(out / "train_all_clean.txt", utterances, seconds, *similarities, decisions.clean)
    of_modality = {f"train_clean_{m}.txt": rows for m, rows in decisions.usable.items()}
    for name, rows in {"train_clean.txt": decisions.clean, **of_modality}.items():
        write_train_list(out / name, *(list(compress(texts, rows)) for texts in (utterances, seconds)))
    release_memory()
    table = decision_table(scores, judgement, decisions, suggestions)
    if review is not None:
        table = _with_reviews(table, review, machine, alone)
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
    digest = None if settings.review is None else sha256_of(train_list)
    summary = cleanse(evidence, seconds, out, settings, list_sha256=digest)
    for warned in review_in_words(summary):
        logger.warning("%s: %s: %s", settings.review, warned.text, ", ".join(warned.speakers))


def _ranks(
    anchors: list[tuple[str, str]], scores: Scores, machine: Judgement, alone: Decisions, where: str
) -> dict[str, Any]:
    """Tell where the method, without any reviewer, has the utterances that are known to be wrong."""

    def words(row: int) -> tuple[str | None, str | None, str | None]:
        return alone.kind[row] or None, str(alone.decision[row]), str(alone.reason[row])

    # As decisions.parquet has them: a finished run then ranks alike.
    probability = machine.wrong.astype(np.float32)
    judged = Judged(pa.array(scores.utterance, pa.string()), probability, alone.noisy, words)
    return rank(anchors, judged, where).as_json()


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


def _with_reviews(table: pa.Table, review: Review, machine: Judgement, alone: Decisions) -> pa.Table:
    """Return the table with what people said, and what the method says without them."""
    # The reviewers may name somebody who has no label in the list.
    suggested = table["suggested_speaker"].to_numpy(zero_copy_only=False)
    told = (review.speaker != "") & (table["kind"].to_numpy(zero_copy_only=False) != "")
    place = table.schema.get_field_index("suggested_speaker")
    names = pa.array(np.where(told, review.speaker, suggested), pa.string())
    table = table.set_column(place, "suggested_speaker", names)
    columns = {
        "review": review.decision,
        "reviewers": review.reviewers,
        "machine_p_audio_wrong": machine.audio_wrong,
        "machine_p_visual_wrong": machine.visual_wrong,
        "machine_p_wrong": machine.wrong,
        "machine_decision": alone.decision,
    }
    for name, values in columns.items():
        table = table.append_column(name, _column(values))
    return table


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
