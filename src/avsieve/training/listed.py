"""The utterances of a training list that there are signals of, with their speakers as classes."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from avsieve.errors import ListError
from avsieve.lists.train_list import read_train_list
from avsieve.storage.packed_names import PackedNames

logger = logging.getLogger(__name__)


class ListedUtterances:
    """The utterances of a training list that are held, with their classes.

    Classes are the ranks of the speakers present in the list: a speaker taken out shifts the later ones.

    Parameters
    ----------
    train_list
        ``speaker wav seconds`` lines.
    held
        Tells which of some utterances there are signals of, (n,) bool.
    absent
        What the others do, for the error: "are in none of 3 shards".
    lacking
        The same for the warning that they are left out.
    max_missing
        Largest share of the list that may be lacking.

    Attributes
    ----------
    utterances, speakers, labels
        Ids, names, and (N,) int64 classes.
    classes
        Number of speakers in the list.

    Raises
    ------
    ListError
        If more than ``max_missing`` of the list is lacking.
    """

    def __init__(
        self,
        train_list: Path,
        held: Callable[[Sequence[str]], np.ndarray],
        *,
        absent: str,
        lacking: str,
        max_missing: float = 0.5,
    ) -> None:
        listed = read_train_list(train_list)
        utterances = PackedNames(listed["utterance"])
        present = np.flatnonzero(held(utterances))
        missing = len(listed) - len(present)
        if not len(present) or missing > max_missing * len(listed):
            raise ListError(
                f"{train_list}: {missing} of {len(listed)} utterances {absent}; expected at most {max_missing:.0%}: "
                f"are they the shards of this list?"
            )
        if missing:
            logger.warning("%s: %d of %d utterances %s and are left out", train_list, missing, len(listed), lacking)
        ranks = {speaker: i for i, speaker in enumerate(sorted(listed["speaker"].unique()))}
        self.utterances: Sequence[str] = utterances.taken(present)
        self.speakers: Sequence[str] = PackedNames(listed["speaker"], repeated=True).taken(present)
        self.labels = listed["speaker"].map(ranks).to_numpy(np.int64)[present]
        self.classes = len(ranks)
        del listed, utterances
        pa.default_memory_pool().release_unused()  # what the table of the list took: 130 MB of VoxCeleb2

    def of_speakers(self, names: Collection[str]) -> Self:
        """Return the utterances of some speakers, whose ranks among themselves are the classes."""
        part = copy.copy(self)
        kept = np.array([i for i, speaker in enumerate(self.speakers) if speaker in names], np.int64)
        part.utterances = PackedNames(self.utterances).taken(kept)
        part.speakers = PackedNames(self.speakers, repeated=True).taken(kept)
        ranks = {speaker: i for i, speaker in enumerate(sorted(set(part.speakers)))}
        part.labels = np.array([ranks[speaker] for speaker in part.speakers], np.int64)
        part.classes = len(ranks)
        return part

    def __len__(self) -> int:
        return len(self.utterances)
