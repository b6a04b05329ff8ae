"""A list, and what the cleansing says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from avsieve.cleansing.channel import Listed
from avsieve.cleansing.decisions import Decisions, decide
from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.table import EmbeddingTable, score_table

Tables = Mapping[str, EmbeddingTable | None]  # by modality


@dataclass
class Cleansed:
    """A list, whose embeddings its utterances take, and what the cleansing says of it."""

    sources: dict[str, list[str]]
    scores: Scores
    judgement: Judgement
    decisions: Decisions

    def listed(self, modality: str, table: EmbeddingTable) -> Listed:
        """Return one modality; what is not flagged is trusted."""
        trusted = self.scores.evidence[modality].present & ~self.decisions.noisy
        speaker, video = self.scores.speaker.astype(np.int64), self.scores.video_code()
        return Listed(table, self.sources[modality], speaker, video, trusted)

    def of_each(self, tables: Tables) -> Iterator[tuple[str, Listed]]:
        """Yield the modalities that have embeddings."""
        for m in MODALITIES:
            if (table := tables.get(m)) is not None:
                yield m, self.listed(m, table)


def cleanse(
    frame: pd.DataFrame, tables: Tables, sources: dict[str, list[str]] | None, cleansing: Cleansing
) -> Cleansed:
    """Score, judge and decide a list; ``sources`` names the embeddings of its utterances, if not their own."""
    scores = score_table(frame[["utterance", "speaker"]], dict(tables), sources)
    judgement = judge(scores, cleansing.method, cleansing.options)
    decisions = decide(scores, judgement, cleansing.policy, cleansing.threshold)
    return Cleansed(sources or {m: frame["utterance"].tolist() for m in MODALITIES}, scores, judgement, decisions)
