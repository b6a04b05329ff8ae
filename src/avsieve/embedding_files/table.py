"""Embeddings of utterances, and what became of the rows that hold none that can be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from avsieve.storage.reasons import Reason


class Rejected(NamedTuple):
    """Why an utterance of a table has no embedding."""

    reason: Reason
    detail: str
    """Which row of which file, and what is there."""


@dataclass
class EmbeddingTable:
    """Ids and embeddings of one modality.

    Attributes
    ----------
    utterance
        N ids, each once unless several rows of an utterance were asked for.
    embedding
        (N, D) float16 or float32, finite, no row zero.
    rejected
        Utterances of the table without an embedding that can be used -> why.
    nameless
        Number of rows without a name.
    notes
        What else is to be told, a line each.
    """

    utterance: list[str]
    embedding: np.ndarray
    rejected: dict[str, Rejected] = field(default_factory=dict)
    nameless: int = 0
    notes: list[str] = field(default_factory=list)

    @cached_property
    def row(self) -> dict[str, int]:
        """The row of each utterance."""
        return {u: i for i, u in enumerate(self.utterance)}

    def forget(self) -> None:
        """Let the embeddings go, the largest part by far; which utterances had one, and why others had none, stays."""
        self.embedding = np.zeros((0, self.embedding.shape[1]), self.embedding.dtype)

    def surplus(self, utterances: Iterable[str]) -> int:
        """Return how many of the embeddings are of none of ``utterances``."""
        return len(self.row.keys() - set(utterances))

    def reason_of(self, utterance: str) -> Rejected:
        """Say whether an utterance has an embedding, and why not."""
        if utterance in self.row:
            return Rejected(Reason.OK, "")
        return self.rejected.get(utterance) or Rejected(Reason.EMBEDDING_MISSING, "the table does not have it")


class Coverage(NamedTuple):
    """How a table and a list go together."""

    n_with: int
    """Utterances of the list that have an embedding."""
    n_listed: int
    n_rejected: int
    """Utterances of the list whose embedding cannot be used; the others without one are not in the table."""
    n_unused: int
    """Utterances of the table that are not in the list."""

    @property
    def n_missing(self) -> int:
        """Utterances of the list that the table does not have."""
        return self.n_listed - self.n_with - self.n_rejected


def coverage(listed: Collection[str], table: EmbeddingTable) -> Coverage:
    """Count how many utterances of a list have an embedding."""
    wanted = set(listed)
    own = table.row.keys()
    found = sum(u in own for u in wanted)
    return Coverage(found, len(wanted), sum(u in wanted for u in table.rejected), len(own) - found)


def coverage_lines(modality: str, listed: Collection[str], table: EmbeddingTable, of: str = "the list") -> list[str]:
    """Tell the coverage of a modality: a line, one for each reason of rejection, and the table's notes.

    Parameters
    ----------
    of
        What the utterances are of: ``the list``, ``the trials``.
    """
    count = coverage(listed, table)
    head = f"{modality}: {count.n_with:,} of {count.n_listed:,} utterances of {of} have an embedding"
    if count.n_missing:
        head += f"; {count.n_missing:,} are not in the table"
    if count.n_unused:
        head += f"; {count.n_unused:,} of the table are not in {of}"
    lines = [head]
    wanted = set(listed)
    lost = {u: why for u, why in table.rejected.items() if u in wanted}
    for reason, n in Counter(why.reason for why in lost.values()).most_common():
        first = next(u for u, why in lost.items() if why.reason is reason)
        others = f", and {n - 1:,} more" if n > 1 else ""
        lines.append(f"{modality}: {n:,} x {reason.value}: {first} ({lost[first].detail}){others}")
    return lines + [f"{modality}: {note}" for note in table.notes]


def coverage_facts(listed: Collection[str], table: EmbeddingTable) -> dict[str, object]:
    """Return the coverage as JSON has it: counts, and the rejections by reason."""
    wanted = set(listed)
    reasons = Counter(why.reason.value for u, why in table.rejected.items() if u in wanted)
    return {**coverage(listed, table)._asdict(), "nameless": table.nameless, "reasons": dict(sorted(reasons.items()))}


def reasons_of(listed: Collection[str], tables: Mapping[str, EmbeddingTable | None]) -> dict[str, list[str]]:
    """Return, for each modality that there is, each utterance's reason: ``ok`` where it has an embedding."""
    return {
        modality: [table.reason_of(u).reason.value for u in listed]
        for modality, table in tables.items()
        if table is not None
    }
