"""The plan: every utterance of a run, its shard, and whether it trains or tests."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.lists.corpora import named
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
    if not (rows["subset"] == TRAIN).any():
        raise AvsieveError("the source has no training utterance; check the folder or the list in the configuration")
    twice = rows["utterance"][rows["utterance"].duplicated()]
    if len(twice):
        raise AvsieveError(
            f"utterance {twice.iloc[0]} occurs twice ({len(twice)} such in all); ids must be "
            "unique over training and test"
        )
    plan = rows.copy()
    parts = plan["utterance"].str.split("/", expand=True)
    plan["speaker"], plan["video"] = parts[0], parts[1]
    names = shard_names(shards)
    of = {s: names[shard_of(s, shards)] for s in plan["speaker"].unique()}
    plan["shard"] = plan["speaker"].map(of)
    train = sorted(plan.loc[plan["subset"] == TRAIN, "speaker"].unique())
    has_test = bool((plan["subset"] == TEST).any())
    plan["held_out"] = plan["speaker"].isin(set() if has_test else hold_out(train, holdout, seed))
    return plan[PLAN_COLUMNS].reset_index(drop=True)


def counts_of(plan: pd.DataFrame, shards: int) -> str:
    """Return the counts of a plan in words, a line for it and one for each of its parts."""
    lines = [f"{named(len(plan), plan['speaker'].nunique())} in {shards} shards"]
    for subset, part in plan.groupby("subset", sort=False):
        lines.append(f"  {subset}: {named(len(part), part['speaker'].nunique())}")
    return "\n".join(lines)


def rows_in_words(plan: pd.DataFrame, shards: int) -> dict[str, str]:
    """Return of each shard its utterances in words: their number, their speakers', and a digest of their rows."""
    parts = dict(list(plan.groupby("shard", sort=False)))

    def words(name: str) -> str:
        part = parts.get(name, plan.iloc[:0])
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for column in _FETCHED:
            digest.update("\0".join([*part[column], ""]).encode())
        return f"{named(len(part), part['speaker'].nunique())}, digest {digest.hexdigest()}"

    return {name: words(name) for name in shard_names(shards)}


def write_plan(plan: pd.DataFrame, path: str | Path, shard_dir: str | Path, shards: int) -> None:
    """Write the whole plan and one table per shard; a shard without utterances gets an empty table."""
    for name in shard_names(shards):
        write_table(Path(shard_dir) / f"{name}.parquet", plan[plan["shard"] == name])
    write_table(path, plan)
