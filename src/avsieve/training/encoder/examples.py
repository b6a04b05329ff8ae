"""The utterances of a training list that shards hold, with their speakers as classes: any modality."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from avsieve.errors import TarError
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.shards import Shards
from avsieve.training.listed import ListedUtterances


class Listed(ListedUtterances):
    """The utterances of a training list that the shards hold, with their classes.

    A subclass reads its modality and says in ``ABSENT`` and ``LACKING`` what an utterance has if no shard holds it.

    Parameters
    ----------
    train_list
        ``speaker wav seconds`` lines.
    tars
        Shards, their indexes beside them.
    max_missing
        Largest share of the list that the shards may lack.

    Raises
    ------
    ListError
        If the shards lack more than ``max_missing`` of the list.
    """

    ABSENT: ClassVar[str] = "are in none of"
    LACKING: ClassVar[str] = "are in no shard"

    def __init__(self, train_list: Path, tars: Sequence[Path], max_missing: float = 0.5) -> None:
        self._shards = Shards(tars)
        super().__init__(
            train_list,
            self._shards.hold,
            absent=f"{self.ABSENT} {len(tars)} shards",
            lacking=self.LACKING,
            max_missing=max_missing,
        )

    def reader(self, index: int) -> TarReader:
        """Return the shard that holds an utterance.

        Raises
        ------
        TarError
            If none does.
        """
        found = self._shards.of(self.utterances[index])
        if found is None:
            raise TarError(f"{self.utterances[index]}: in none of {len(self._shards.readers)} shards")
        return found
