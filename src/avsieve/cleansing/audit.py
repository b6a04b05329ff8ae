"""TODO docstring"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.cleansing.decisions import Decisions, decide, expected
from avsieve.cleansing.injection import Native, inject
from avsieve.cleansing.inputs import MODALITIES, read_plan, unit_rows
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.embedding_files.own_tables import read_embeddings

_FOREIGN = 200  # labels to which an utterance is compared
_BLOCK = 20_000


class Side:
    """A cleansed list: evidence, judgement, decisions."""

    def __init__(self, frame: pd.DataFrame, tables: dict, sources: dict | None, cleansing: Cleansing) -> None:
        self.frame = frame
        self.sources = sources or {m: frame["utterance"].tolist() for m in MODALITIES}
        self.scores = score_table(frame[["utterance", "speaker"]], tables, sources)
        self.judgement = judge(self.scores, cleansing.method, cleansing.options)
        self.decisions = decide(self.scores, self.judgement, cleansing.policy, cleansing.threshold)


def native_of(side: Side, tables: dict) -> Native:
    j = side.judgement
    wrong = {"audio": np.nan_to_num(j.audio_wrong), "visual": np.nan_to_num(j.visual_wrong)}
    wrong["both"] = np.where(np.isnan(j.audio_wrong) | np.isnan(j.visual_wrong), np.nan_to_num(j.both_wrong), j.both_wrong)
    wrong["both"] = np.nan_to_num(wrong["both"])
    parts = []
    for m in MODALITIES:
        if tables.get(m) is None:
            continue
        sums = np.zeros((len(side.scores.speakers), tables[m].embedding.shape[1]), np.float32)
        for rows, E in _blocks(np.flatnonzero(side.scores.evidence[m].present & ~side.decisions.noisy), m, side, tables):
            np.add.at(sums, side.scores.speaker[rows], E)
        parts.append(unit_rows(sums))
    return Native(wrong, side.scores.speakers, np.concatenate(parts, axis=1))


def _blocks(rows, m, side, tables):
    table = tables[m]
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        at = [table.row[side.sources[m][i]] for i in part.tolist()]
        yield part, unit_rows(np.asarray(table.embedding[at], np.float32))


def strangeness(side: Side, tables: dict, seed: int) -> dict[str, np.ndarray]:
    """z of flagged rows: own label's similarity among those to other labels."""
    out = {}
    rng = np.random.default_rng(seed)
    s = side.scores
    video = s.video_code() * 1
    key = np.unique(np.stack([s.speaker, video]), axis=1, return_inverse=True)[1].reshape(-1)
    for m in MODALITIES:
        z = np.full(len(s), np.nan)
        out[m] = z
        if tables.get(m) is None:
            continue
        D = tables[m].embedding.shape[1]
        present = s.evidence[m].present
        sums, vsum = np.zeros((len(s.speakers), D), np.float32), np.zeros((key.max() + 1, D), np.float32)
        for rows, E in _blocks(np.flatnonzero(present & ~side.decisions.noisy), m, side, tables):
            np.add.at(sums, s.speaker[rows], E)
            np.add.at(vsum, key[rows], E)
        have = np.flatnonzero((sums != 0).any(axis=1))
        some = rng.permutation(have)[:_FOREIGN]
        C = unit_rows(sums[some])
        for rows, E in _blocks(np.flatnonzero(present), m, side, tables):
            own = unit_rows(sums[s.speaker[rows]] - vsum[key[rows]])
            o = np.einsum("ij,ij->i", E, own)
            o[~(np.abs(own) > 0).any(axis=1)] = np.nan
            f = E @ C.T
            f[s.speaker[rows][:, None] == some[None]] = np.nan
            z[rows] = (o - np.nanmean(f, axis=1)) / np.nanstd(f, axis=1)
    return out
