"""The utterances of a training list that shards hold, with their speakers as classes: any modality."""

from __future__ import annotations

import copy
import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from avsieve.errors import ListError
from avsieve.lists.train_list import read_train_list
from avsieve.storage.indexed_tar import TarReader

logger = logging.getLogger(__name__)


class Listed:
    """The utterances of a training list that the shards hold, with their classes.

    Classes are the ranks of the speakers present in the list: a speaker taken out shifts the later ones. A subclass
    reads its modality and says in ``ABSENT`` and ``LACKING`` what an utterance has if no shard holds it.

    Parameters
    ----------
    train_list
        ``speaker wav seconds`` lines.
    tars
        Shards, their indexes beside them.
    max_missing
        Largest share of the list that the shards may lack.

    Attributes
    ----------
    utterances, speakers, labels
        Ids, names, and (N,) int64 classes.
    classes
        Number of speakers in the list.

    Raises
    ------
    ListError
        If the shards lack more than ``max_missing`` of the list.
    """

    ABSENT: ClassVar[str] = "are in none of"
    LACKING: ClassVar[str] = "are in no shard"

    def __init__(self, train_list: Path, tars: Sequence[Path], max_missing: float = 0.5) -> None:
        listed = read_train_list(train_list)
        self._readers = [TarReader(tar) for tar in tars]
        home = {u: i for i, reader in enumerate(self._readers) for u in reader.utterances}
        present = listed[listed["utterance"].isin(home)]
        missing = len(listed) - len(present)
        if not len(present) or missing > max_missing * len(listed):
            raise ListError(
                f"{train_list}: {missing} of {len(listed)} utterances {self.ABSENT} {len(tars)} shards; expected at "
                f"most {max_missing:.0%}: are they the shards of this list?"
            )
        if missing:
            logger.warning(
                "%s: %d of %d utterances %s and are left out", train_list, missing, len(listed), self.LACKING
            )
        ranks = {speaker: i for i, speaker in enumerate(sorted(listed["speaker"].unique()))}
        self.utterances: list[str] = present["utterance"].tolist()
        self.speakers: list[str] = present["speaker"].tolist()
        self.labels = present["speaker"].map(ranks).to_numpy(np.int64)
        self.classes = len(ranks)
        self._homes = [home[u] for u in self.utterances]

    def of_speakers(self, names: Collection[str]) -> Self:
        """Return the utterances of some speakers, whose ranks among themselves are the classes."""
        part = copy.copy(self)
        kept = [i for i, speaker in enumerate(self.speakers) if speaker in names]
        part.utterances = [self.utterances[i] for i in kept]
        part.speakers = [self.speakers[i] for i in kept]
        ranks = {speaker: i for i, speaker in enumerate(sorted(set(part.speakers)))}
        part.labels = np.array([ranks[speaker] for speaker in part.speakers], np.int64)
        part.classes = len(ranks)
        part._homes = [self._homes[i] for i in kept]
        return part

    def __len__(self) -> int:
        return len(self.utterances)

    def reader(self, index: int) -> TarReader:
        """Return the shard that holds an utterance."""
        return self._readers[self._homes[index]]
