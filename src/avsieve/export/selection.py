"""Which utterances leave the run, and what is known about each."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.export.settings import Wish
from avsieve.lists.layouts import read_corpus_list
from avsieve.lists.train_list import read_clean_list, utterance_of
from avsieve.sources.plan import TEST, TRAIN
from avsieve.storage import paths as P
from avsieve.storage.tables import read_table
from avsieve.storage.text_files import read_lines

COLUMNS = [
    "utterance", "speaker", "video", "shard", "seconds", "label", "flag", "audio_similarity", "visual_similarity",
    "p_wrong", "kind",
]  # fmt: skip


def hashed(utterance: str, seed: int) -> float:
    """Return a number in [0, 1) that depends on the utterance and the seed alone."""
    digest = hashlib.blake2b(f"{seed}/{utterance}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def select(results: Path, wish: Wish) -> pd.DataFrame:
    """Return the chosen utterances in the order of the list.

    Returns
    -------
    pandas.DataFrame
        ``utterance``, ``speaker``, ``video`` (without the speaker), ``shard``, ``seconds`` (text), ``label`` (int64:
        rank of the speaker among those who are chosen), ``flag`` (1 clean; 0 noisy, or lacking a voice or a face; -1
        of the test), ``audio_similarity``, ``visual_similarity``, ``p_wrong`` (float, NaN where unknown) and ``kind``
        (what is wrong, or empty).

    Raises
    ------
    AvsieveError
        If the run is not as far as its lists, or nothing is chosen.
    """
    plan = read_table(P.below(results, P.plan.utterances), ["utterance", "subset", "shard", "seconds"])
    table = _test(plan) if wish.subset == "test" else _judged(results, plan)
    if wish.subset == "clean":
        table = table[table["flag"] == 1]
    if wish.subset == "noisy":
        # Not what merely lacks a voice or a face: that has the flag 0 too, and no kind of wrong.
        table = table[(table["flag"] == 0) & (table["kind"] != "")]
    parts = table["utterance"].str.split("/", expand=True)
    table = table.assign(speaker=parts.get(0), video=parts.get(1))
    if wish.speakers is not None:
        table = table[table["speaker"].isin(_words(Path(wish.speakers)))]
    if wish.utterances is not None:
        table = table[table["utterance"].isin(_utterances(Path(wish.utterances)))]
    if wish.share < 1:
        table = table[[hashed(u, wish.seed) < wish.share for u in table["utterance"]]]
    if table.empty:
        raise AvsieveError(
            f"nothing of {results} is left to export with subset {wish.subset}, share {wish.share} and the lists "
            "given; select more"
        )
    table = table.assign(label=np.unique(table["speaker"].to_numpy(dtype=str), return_inverse=True)[1])
    return table[COLUMNS].reset_index(drop=True)


def _judged(results: Path, plan: pd.DataFrame) -> pd.DataFrame:
    listed = read_clean_list(P.below(results, P.lists.flagged))
    decisions = read_table(
        P.below(results, P.lists.decisions),
        ["utterance", "p_wrong", "kind", "audio_similarity", "visual_similarity"],
    )
    table = listed[["utterance", "seconds", "clean"]].merge(decisions, on="utterance", how="left", validate="1:1")
    table = table.merge(plan.loc[plan["subset"] == TRAIN, ["utterance", "shard"]], on="utterance", how="left")
    if table["shard"].isna().any():
        name = table.loc[table["shard"].isna(), "utterance"].iloc[0]
        raise AvsieveError(f"{results}: {name} is in the lists and not in the plan; run `snakemake clean` again")
    return table.assign(flag=table.pop("clean").astype("int8"), kind=table["kind"].fillna(""))


def _test(plan: pd.DataFrame) -> pd.DataFrame:
    table = plan.loc[plan["subset"] == TEST, ["utterance", "shard", "seconds"]]
    unknown = dict.fromkeys(("audio_similarity", "visual_similarity", "p_wrong"), np.nan)
    return table.assign(flag=np.int8(-1), kind="", **unknown)


def _words(path: Path) -> set[str]:
    return {line.split()[0] for _, line in read_lines(path)}


def _utterances(path: Path) -> set[str]:
    words = _words(path)
    if all(word.count("/") == 2 for word in words):
        return {utterance_of(word) for word in words}
    return set(read_corpus_list(path)["utterance"])
