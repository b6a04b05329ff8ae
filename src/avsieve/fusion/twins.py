"""Damaged twins: training utterances under damage, from which a calibration learns what bad quality is worth.

A twin is an utterance of which one modality, or both, were damaged (`fusion.twins`), with the quality measures of what
came of it. Pairs exchange some of their sides for twins of these sides: so the pairs that a model is fitted to are
clean, damaged on one side, and damaged on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.evaluation.conditions.table import DamageTable
from avsieve.fusion.damage import Embeddings, Variants, damaged_inputs
from avsieve.fusion.inputs import Inputs, Stream, join, read_stream
from avsieve.fusion.pairs import Pairs

EXCHANGED = 0.5
"""Share of the sides of pairs that a twin stands in for, of those that have any."""


@dataclass(frozen=True)
class Twins:
    """Damaged twins of utterances, M of them.

    Attributes
    ----------
    inputs
        The twins.
    of
        (M,) int64, the utterance of each: a row of the inputs that they belong to.
    """

    inputs: Inputs
    of: np.ndarray

    def among(self, rows: np.ndarray) -> Twins:
        """Return those of some rows of the inputs, as twins of these rows alone in their order."""
        place = pd.Index(rows).get_indexer(self.of)
        kept = np.flatnonzero(place >= 0)
        return Twins(self.inputs.of(kept), place[kept].astype(np.int64))

    def behind(self, inputs: Inputs) -> Inputs:
        """Return the inputs that they belong to, U rows, followed by the twins."""
        streams = {m: join([stream, self.inputs.streams[m]]) for m, stream in inputs.streams.items()}
        return Inputs([*inputs.utterances, *self.inputs.utterances], streams["audio"], streams["visual"])

    def exchange(self, pairs: Pairs, utterances: int, rng: np.random.Generator) -> Pairs:
        """Let a twin stand in for `EXCHANGED` of the sides of pairs, any twin of that utterance.

        Parameters
        ----------
        pairs
            Pairs of rows of the inputs.
        utterances
            How many rows these are: twins follow them.
        rng
            Where sides and twins are drawn from.
        """
        order = np.argsort(self.of, kind="stable")
        count = np.bincount(self.of, minlength=utterances)
        first = np.cumsum(count) - count
        sides = []
        for side in (pairs.enrol, pairs.test):
            chosen = np.flatnonzero((rng.random(len(side)) < EXCHANGED) & (count[side] > 0))
            own = side[chosen]
            exchanged = side.copy()
            exchanged[chosen] = utterances + order[first[own] + (rng.random(len(own)) * count[own]).astype(np.int64)]
            sides.append(exchanged)
        return Pairs(sides[0], sides[1], pairs.is_target)


@dataclass(frozen=True)
class TwinFiles:
    """Tables of embeddings of a run's shards, and of the twins whose signals were damaged."""

    audio: Sequence[Path]
    visual: Sequence[Path]
    twin_audio: Sequence[Path] = ()
    twin_visual: Sequence[Path] = ()

    def stream(self, modality: str, utterances: list[str]) -> Stream:
        """Return one modality of utterances as they are."""
        return read_stream(utterances, {"audio": self.audio, "visual": self.visual}[modality])

    def damaged(self, modality: str, versions: list[str]) -> Stream:
        """Return one modality of twins, by their ids; absent where one is in no table.

        Raises
        ------
        AvsieveError
            If there are no tables of it at all.
        """
        paths = {"audio": self.twin_audio, "visual": self.twin_visual}[modality]
        if not paths:
            raise AvsieveError(
                f"{len(versions)} damaged {modality} signals of twins are to be learned from, for example "
                f"{versions[0]}, and there is no table of their embeddings; give --twin-{modality}, or set "
                "fusion.twins.level to embedding"
            )
        return read_stream(versions, paths)


def read_twins(path: str | Path, inputs: Inputs, embeddings: Embeddings) -> Twins:
    """Read the twins of some utterances: those of all conditions of a table, without sequences.

    Parameters
    ----------
    path
        What is done to which utterance; rows of others are passed over.
    inputs
        The utterances as they are.
    embeddings
        Where damaged versions are read from.
    """
    table, index = DamageTable(path), pd.Index(inputs.utterances)
    found: list[Inputs] = []
    places: list[np.ndarray] = []
    for condition in table.conditions:
        rows = table.rows(condition)
        place = index.get_indexer(rows["utterance"])
        of, variant = np.unique(place[place >= 0], return_inverse=True)
        if not len(of):
            continue
        own = rows[place >= 0].assign(variant=variant)
        both = np.arange(len(of))
        found.append(damaged_inputs(inputs, Variants(of, own, both, both), embeddings, condition))
        places.append(of)
    if not found:
        return Twins(inputs.of(np.zeros(0, np.int64)), np.zeros(0, np.int64))
    streams = [join([one.streams[m] for one in found]) for m in inputs.streams]
    names = [name for one in found for name in one.utterances]
    return Twins(Inputs(names, *streams), np.concatenate(places).astype(np.int64))
