"""The plan: every utterance of a run, its shard, and whether it trains or tests."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.errors import AvsieveError
from avsieve.lists.corpora import named
from avsieve.lists.plain_lists import all_differ
from avsieve.storage.ids import shard_names, shard_of
from avsieve.storage.tables import write_table

PLAN_COLUMNS = ["utterance", "speaker", "video", "subset", "held_out", "shard", "path", "seconds"]
TRAIN, TEST = "train", "test"
# Of a plan's rows: what fetching reads. Who is held out changes for many when one speaker comes, and for no clip.
_FETCHED = ["utterance", "subset", "path", "seconds"]
_DIGEST_BYTES = 8
logger = logging.getLogger(__name__)


def hold_out(speakers: list[str], share: float, seed: int) -> set[str]:
    """Choose the speakers whose utterances make the trials when there is no test set of other people.

    They are cleansed like all others, but no fusion model is trained on them. Nobody is chosen where too few would be
    left to test or to train on.
    """
    if share <= 0:
        return set()
    n = round(share * len(speakers))
    if n < 2 or len(speakers) - n < 2:
        # A list must not depend on an evaluation: it is made all the same.
        logger.warning(
            "nobody is held out for testing: evaluation.holdout %s of %d speakers leaves %d to test and %d to train, "
            "and both need at least two; the evaluation is left out", share, len(speakers), n, len(speakers) - n
        )  # fmt: skip
        return set()
    order = np.random.default_rng(seed).permutation(len(speakers))
    return {sorted(speakers)[i] for i in order[:n]}


def build_plan(rows: pd.DataFrame, shards: int, holdout: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Complete a source's rows (``utterance``, ``subset``, ``path``, ``seconds``) to a plan.

    Raises
    ------
    AvsieveError
        If there are no training rows or an utterance is there twice.
    """
    check_rows(rows)
    is_train = (rows["subset"] == TRAIN).to_numpy()
    utterances = _arrow(rows["utterance"])
    speakers = speakers_of(utterances)
    names, own = shard_names(shards), speakers.dictionary.to_pylist()
    of = pa.array([shard_of(speaker, shards) for speaker in own], pa.int32())
    has_test = bool((rows["subset"] == TEST).any())
    among_train = np.zeros(len(own), bool)
    among_train[speakers.indices.to_numpy()[is_train]] = True
    train = sorted(speaker for speaker, is_there in zip(own, among_train, strict=True) if is_there)
    held_out = set() if has_test else hold_out(train, holdout, seed)
    columns = {
        "utterance": utterances,
        "speaker": speakers.dictionary_decode(),
        "video": pc.replace_substring_regex(utterances, "^[^/]*/([^/]*).*", r"\1"),
        "subset": _arrow(rows["subset"]),
        "held_out": pa.array([speaker in held_out for speaker in own], pa.bool_()).take(speakers.indices),
        "shard": pa.array(names, utterances.type).take(of.take(speakers.indices)),
        "path": _arrow(rows["path"]),
        "seconds": _arrow(rows["seconds"]),
    }
    return pa.table({name: columns[name] for name in PLAN_COLUMNS}).to_pandas()


def _arrow(column: pd.Series) -> pa.Array:
    """Return text as one Arrow array, whose bytes lie behind each other."""
    # Of pandas 2 these are objects, which Arrow otherwise takes for text that may be short.
    found = pa.array(column, pa.large_string(), from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def speakers_of(utterances: pd.Series | pa.Array) -> pa.DictionaryArray:
    """Return the speakers of ids, each of them once in the dictionary, in the order in which they come."""
    texts = utterances if isinstance(utterances, pa.Array) else _arrow(utterances)
    return pc.dictionary_encode(pc.replace_substring_regex(texts, "/.*", ""))


def check_rows(rows: pd.DataFrame) -> None:
    """Raise unless a source's rows can make a plan.

    Raises
    ------
    AvsieveError
        As `build_plan`.
    """
    if not (rows["subset"] == TRAIN).any():
        raise AvsieveError("the source has no training utterance; check the folder or the list in the configuration")
    utterances = rows["utterance"]
    if all_differ([_arrow(utterances)]):
        return
    twice = utterances[utterances.duplicated()]
    if len(twice):
        raise AvsieveError(
            f"utterance {twice.iloc[0]} occurs twice ({len(twice)} such in all); ids must be "
            "unique over training and test"
        )


def counts_of(plan: pd.DataFrame, shards: int) -> str:
    """Return the counts of a plan in words, a line for it and one for each of its parts."""
    lines = [f"{named(len(plan), plan['speaker'].nunique())} in {shards} shards"]
    for subset, part in plan.groupby("subset", sort=False):
        lines.append(f"  {subset}: {named(len(part), part['speaker'].nunique())}")
    return "\n".join(lines)


def rows_in_words(rows: pd.DataFrame, shards: int) -> dict[str, str]:
    """Return of each shard its utterances in words: their number, their speakers', and a digest of their rows.

    Parameters
    ----------
    rows
        Of a source or of a plan, which tell the same.
    """
    speakers = speakers_of(rows["utterance"])
    shard_of_each = np.array([shard_of(speaker, shards) for speaker in speakers.dictionary.to_pylist()], np.int32)
    order, ends = _in_order_of(shard_of_each[speakers.indices.to_numpy()], shards)
    people = np.bincount(shard_of_each, minlength=shards)
    del speakers
    digests = [hashlib.blake2b(digest_size=_DIGEST_BYTES) for _ in range(shards)]
    for column in _FETCHED:
        texts = _arrow(rows[column])
        for shard, digest in enumerate(digests):
            digest.update(_with_zeros(texts.take(order[ends[shard] : ends[shard + 1]])))
    counts = np.diff(ends)
    return {
        name: f"{named(int(counts[shard]), int(people[shard]))}, digest {digests[shard].hexdigest()}"
        for shard, name in enumerate(shard_names(shards))
    }


def _with_zeros(texts: pa.LargeStringArray) -> memoryview:
    """Return the bytes of texts, with a zero behind each: Arrow keeps them so."""
    empty, zero = (pa.scalar(text, pa.large_string()) for text in ("", "\0"))
    joined = pc.binary_join_element_wise(texts, empty, zero)
    _, places, held = joined.buffers()
    end = int(np.frombuffer(places, np.int64)[len(joined)]) if len(joined) else 0
    return memoryview(held or b"")[:end]


def _in_order_of(place: np.ndarray, shards: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in the order of their shards, and where in it each shard begins and the last ends."""
    return np.argsort(place, kind="stable"), np.r_[0, np.cumsum(np.bincount(place, minlength=shards))]


def write_plan(plan: pd.DataFrame, path: str | Path, shard_dir: str | Path, shards: int) -> None:
    """Write the whole plan and one table per shard; a shard without utterances gets an empty table."""
    place = pc.index_in(_arrow(plan["shard"]), pa.array(shard_names(shards), pa.large_string())).to_numpy()
    order, ends = _in_order_of(place, shards)
    for shard, name in enumerate(shard_names(shards)):
        write_table(Path(shard_dir) / f"{name}.parquet", plan.iloc[order[ends[shard] : ends[shard + 1]]])
    write_table(path, plan)
