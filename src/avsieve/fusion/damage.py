"""Damaged inputs: the rows of a condition, made of the table of damages and the embeddings that it names.

What was damaged as a signal is read from the tables of its versions. A missing modality is taken away, and another
person's is that person's. Where there are no signals, a stand-in takes the place of a damage (`stand_in`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from avsieve.evaluation.conditions.contract import BOTH, ENROL, MISSING, OTHER_PERSON, SIGNAL, TEST
from avsieve.evaluation.conditions.stand_ins import STAND_INS
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.trials import Trials
from avsieve.fusion.inputs import Inputs, Stream, join
from avsieve.fusion.moved_sequences import MovedSequences

logger = logging.getLogger(__name__)


class Embeddings(Protocol):
    """Where embeddings are read from."""

    def stream(self, modality: str, utterances: list[str]) -> Stream:
        """Return one modality of utterances as they are."""
        ...

    def damaged(self, modality: str, versions: list[str]) -> Stream:
        """Return one modality of versions, by their ids."""
        ...


@dataclass(frozen=True)
class Variants:
    """The damaged variants of utterances under one condition, M of them.

    Attributes
    ----------
    of
        (M,) int64, the utterance of each: a position in the list's.
    rows
        What is done: rows of the table of damages with ``variant``, a position in ``of``.
    enrol, test
        (U,) int64, per utterance of the list the row that stands for it on that side, when the variants follow the U
        utterances: itself, where it is not damaged there.
    """

    of: np.ndarray
    rows: pd.DataFrame
    enrol: np.ndarray
    test: np.ndarray


def variants_of(trials: Trials, rows: pd.DataFrame) -> Variants:
    """Tell which damaged variants of its utterances a list needs: one for each side, or one for both.

    Parameters
    ----------
    rows
        The table's rows of one condition; those of other utterances are passed over.
    """
    place = pd.Index(trials.utterances).get_indexer(rows["utterance"])
    own = rows.assign(place=place)[place >= 0]
    alike = (own["side"] == BOTH).groupby(own["place"]).transform("all").to_numpy(bool)
    side = own["side"].to_numpy(object)
    n = len(trials.utterances)
    found: list[np.ndarray] = []
    parts: list[pd.DataFrame] = []
    to = {ENROL: np.arange(n), TEST: np.arange(n)}
    used = {ENROL: trials.enrol, TEST: trials.test}
    count = 0
    for sides in ((ENROL, TEST), (ENROL,), (TEST,)):
        chosen = alike if len(sides) > 1 else ~alike & ((side == sides[0]) | (side == BOTH))
        # An utterance may be in another list's trials on that side, and in none of this one's.
        chosen = chosen & np.isin(own["place"], np.concatenate([used[s] for s in sides]))
        part = own[chosen]
        places, variant = np.unique(part["place"].to_numpy(), return_inverse=True)
        for s in sides:
            to[s][places] = n + count + np.arange(len(places))
        parts.append(part.assign(variant=count + variant))
        found.append(places)
        count += len(places)
    table = pd.concat(parts, ignore_index=True).drop(columns="place")
    return Variants(np.concatenate(found).astype(np.int64), table, to[ENROL], to[TEST])


def damaged_inputs(inputs: Inputs, variants: Variants, embeddings: Embeddings, condition: str) -> Inputs:
    """Return the inputs of the variants alone, in their order.

    Parameters
    ----------
    inputs
        The list's utterances as they are.
    embeddings
        Where versions, and utterances that are not in the list, are read from.
    condition
        Its name, for messages.
    """
    streams = {}
    for modality, stream in inputs.streams.items():
        rows = variants.rows[variants.rows["modality"] == modality]
        streams[modality] = _damaged(stream, variants.of, rows, embeddings, modality, condition)
    return Inputs([inputs.utterances[k] for k in variants.of], streams["audio"], streams["visual"])


def _damaged(
    stream: Stream, of: np.ndarray, rows: pd.DataFrame, embeddings: Embeddings, modality: str, condition: str
) -> Stream:
    """Return one modality of the variants: their own rows, and in place of some those that were damaged."""
    own = stream.of(of)
    variant = rows["variant"].to_numpy(np.int64)
    kind, level = rows["kind"].to_numpy(object), rows["level"].to_numpy(object)
    missing, other = kind == MISSING, kind == OTHER_PERSON
    signal = ~missing & ~other & (level == SIGNAL)
    standing_in = ~missing & ~other & ~signal
    pieces, place = [own], np.arange(len(of))

    def put(at: np.ndarray, piece: Stream) -> None:
        place[variant[at]] = sum(len(p.present) for p in pieces) + np.arange(len(piece.present))
        pieces.append(piece)

    if other.any():
        names = [values["utterance"] for values in rows.loc[other, "parameters"]]
        found = embeddings.stream(modality, sorted(set(names)))
        put(other, found.of(np.searchsorted(sorted(set(names)), names)))
    if signal.any():
        versions = rows.loc[signal, "version"].tolist()
        # Of both sides there may be one version: it is read once.
        read = embeddings.damaged(modality, list(dict.fromkeys(versions)))
        version = read.of(pd.Index(dict.fromkeys(versions)).get_indexer(versions))
        lost = own.present[variant[signal]] & ~version.present
        if lost.any():
            logger.warning(
                "%s: %d of %d damaged %s utterances have no embedding, for example %s: they count as missing",
                condition, int(lost.sum()), len(lost), modality, versions[int(lost.argmax())],
            )  # fmt: skip
        put(signal, version)
    if standing_in.any():
        put(standing_in, stand_in(stream, of[variant[standing_in]], rows[standing_in]))
    gone = np.zeros(len(of), dtype=bool)
    gone[variant[missing]] = True
    return join(pieces).of(place).without(gone)


def stand_in(stream: Stream, of: np.ndarray, rows: pd.DataFrame) -> Stream:
    """Move embeddings as a damage would, in a direction that the corpus's own embeddings have.

    With x the embedding at length 1, the damaged one is ``c x + sqrt(1 - c^2) r``, at the length that it had. c is the
    row's ``similarity``, and r has length 1 and is orthogonal to x: what is orthogonal to it in the difference of two
    other utterances' embeddings, drawn by the row's seed. Quality measures are lowered where the kind says so.

    Parameters
    ----------
    stream
        One modality of the list's utterances.
    of
        (K,) the utterance of each row: a position in ``stream``.
    rows
        K rows of the table of damages.

    Returns
    -------
    Stream
        (K, D), with the sequences moved in the same directions (`MovedSequences`), of `StandIn.single` kinds a single
        item; absent where the utterance is.
    """
    own = stream.of(of)
    unit = Part.of(stream.pooled, stream.present)
    there = np.flatnonzero(unit.present)
    rank = np.searchsorted(there, of)
    similarity = np.array([values["similarity"] for values in rows["parameters"]], np.float64)
    directions = np.zeros((len(of), stream.dim))
    for k in np.flatnonzero(unit.present[of]):
        rng = np.random.default_rng(int(rows["seed"].iloc[k]) % 2**64)
        directions[k] = _direction(unit.vectors, there, int(rank[k]), rng)
    x = unit.vectors[of]
    damaged = similarity[:, None] * x + np.sqrt(1 - similarity**2)[:, None] * directions
    pooled = damaged * np.linalg.norm(own.pooled, axis=1, keepdims=True)
    measures = {name: values.copy() for name, values in own.measures.items()}
    for kind, at in rows.reset_index(drop=True).groupby("kind").groups.items():
        for name, value in STAND_INS[str(kind)].measures.items():
            if name in measures:
                k = at.to_numpy()
                k = k[own.present[k]]
                to = [p[value] if isinstance(value, str) else value for p in rows["parameters"].iloc[k]]
                measures[name][k] = np.fmin(measures[name][k], np.array(to, np.float32))
    single = np.array([STAND_INS[str(kind)].single for kind in rows["kind"]], bool)
    sequences = {
        name: MovedSequences(items, similarity, directions, _one_of(items.counts, single, rows["seed"].to_numpy()))
        for name, items in own.sequences.items()
    }
    return Stream(pooled.astype(np.float32), own.present, sequences, measures)


def _one_of(counts: np.ndarray, single: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the place of the one item that is left, (K,), drawn by each row's seed; -1 where all are."""
    only = np.full(len(counts), -1)
    for k in np.flatnonzero(single & (counts > 0)):
        only[k] = np.random.default_rng([int(seeds[k]) % 2**64, 1]).integers(counts[k])
    return only


def _direction(vectors: np.ndarray, there: np.ndarray, own: int, rng: np.random.Generator) -> np.ndarray:
    """Return a unit vector (D,) orthogonal to that of ``there[own]``: of two others, where there are, else any."""
    x = vectors[there[own]]
    if len(there) > 2:
        first = int(rng.integers(len(there) - 1))
        first += first >= own
        second = int(rng.integers(len(there) - 2))
        for taken in sorted((own, first)):
            second += second >= taken
        direction = _orthogonal(vectors[there[first]] - vectors[there[second]], x)
        if direction.any():
            return direction
    return _orthogonal(rng.standard_normal(len(x)), x)


def _orthogonal(direction: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return what is orthogonal to ``x`` in ``direction`` at length 1; zero where that is only rounding."""
    rest = direction - (direction @ x) * x
    rest = rest - (rest @ x) * x
    length = np.linalg.norm(rest)
    return rest / length if length > 1e-6 else np.zeros_like(rest)
