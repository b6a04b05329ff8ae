"""Pass 2: the facts about every utterance of a shard; no threshold, no decision.

Centres of all speakers compete per utterance in blocks, so that no matrix of utterances x speakers ever exists. A
foreign speaker is drawn per video as well: the similarity to that one is what a wrong label would have looked like, and
the methods learn from it what wrong is.
"""

from __future__ import annotations

import hashlib

import numpy as np

from avsieve.cleansing.centres import Centres, mapped
from avsieve.cleansing.inputs import MODALITIES, Shard
from avsieve.cleansing.pooling import compare, pool_speaker
from avsieve.cleansing.scores import NEAREST, PERSONS, Evidence, Scores
from avsieve.errors import AvsieveError

_BLOCK = 1024


def score_shard(shard: Shard, centres: Centres) -> Scores:
    """Return the evidence of a shard's utterances, in the order of its plan."""
    n = len(shard.utterance)
    position = {s: i for i, s in enumerate(centres.speakers)}
    if unknown := sorted(set(shard.speaker) - set(position)):
        raise AvsieveError(f"speaker {unknown[0]} has no row among the centres; pool the speakers again")
    own = np.array([position[s] for s in shard.speaker], dtype=np.int32)
    inner = mapped(shard, centres.metric)
    plain = {m: Evidence.empty(n) for m in MODALITIES}
    learned = {m: Evidence.empty(n) for m in MODALITIES}
    persons = {name: np.zeros(n, np.float32) for name in PERSONS}
    for _, rows in shard.speakers():
        video = shard.video[rows]
        model = pool_speaker({m: inner.embeddings[m][rows] for m in MODALITIES}, video, centres.calibration)
        for name in PERSONS:
            persons[name][rows] = getattr(model, name)
        for m in MODALITIES:
            raw = compare(shard.embeddings[m][rows], video, model.weight[m])
            for e, c in ((learned[m], model.compared[m]), (plain[m], raw)):
                for name in ("similarity", "plain", "agreement", "support", "fallback", "sibling"):
                    getattr(e, name)[rows] = getattr(c, name)
    foreign = _foreign(shard.video, own, centres)
    for m in MODALITIES:
        for e, E, C, sample in (
            (learned[m], inner.embeddings[m], centres.centre[m], centres.sample[m]),
            (plain[m], shard.embeddings[m], centres.plain[m], None),
        ):
            e.present[:], e.quality[:] = shard.present[m], shard.quality[m]
            e.not_finite[:] = shard.not_finite[m]
            # One speaker has no foreign one, and a foreign one without the modality no centre to be like.
            here = shard.present[m] & (foreign != own) & centres.has(m)[foreign]
            if here.any():
                e.foreign[here] = np.einsum("ij,ij->i", E[here], C[foreign[here]])
                if sample is not None:
                    e.foreign_agreement[here] = np.einsum("ij,ij->i", E[here], sample[foreign[here]])
    joint, joint_speaker = _compete(inner, own, centres, centres.centre, learned)
    _compete(shard, own, centres, centres.plain, plain)
    return Scores(
        utterance=np.array(shard.utterance, dtype=object),
        speaker=own,
        video=shard.video,
        speakers=centres.speakers,
        evidence=plain,
        learned=learned,
        joint=joint,
        joint_speaker=joint_speaker,
        **persons,
    )


def _compete(
    shard: Shard, own: np.ndarray, centres: Centres, C: dict[str, np.ndarray], evidence: dict[str, Evidence]
) -> tuple[np.ndarray, np.ndarray]:
    """Fill in the nearest other speakers per modality and return those by the mean of the modalities present."""
    n = len(own)
    joint = np.full((n, NEAREST), np.nan, np.float32)
    joint_speaker = np.full((n, NEAREST), -1, np.int32)
    absent = {m: ~centres.has(m) for m in MODALITIES}
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        total, count = None, np.zeros(rows.stop - start, np.float32)
        for m in MODALITIES:
            here = shard.present[m][rows]
            if not here.any():
                continue
            cosine = shard.embeddings[m][rows] @ C[m].T
            # The own centre holds the utterance itself: the competition is among the others.
            cosine[np.arange(len(here)), own[rows]] = -2.0
            cosine[:, absent[m]] = -2.0
            total = cosine.copy() if total is None else np.add(total, cosine, out=total)
            count += here
            value, index = _largest(cosine)
            value[~here], index[~here] = np.nan, -1
            evidence[m].other[rows], evidence[m].other_speaker[rows] = value, index
        if total is not None:
            total /= np.maximum(count, 1)[:, None]
            value, index = _largest(total)
            value[count == 0], index[count == 0] = np.nan, -1
            joint[rows], joint_speaker[rows] = value, index
    return joint, joint_speaker


def _largest(cosine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the `NEAREST` largest values of each row and where they stand; overwrites ``cosine``."""
    rows = np.arange(len(cosine))
    values = np.full((len(cosine), NEAREST), np.nan, np.float32)
    index = np.full((len(cosine), NEAREST), -1, np.int32)
    for k in range(min(NEAREST, cosine.shape[1] - 1)):
        best = cosine.argmax(axis=1)
        found = cosine[rows, best] > -1.5
        values[found, k], index[found, k] = cosine[rows, best][found], best[found]
        cosine[rows, best] = -3.0
    return values, index


def _foreign(video: np.ndarray, own: np.ndarray, centres: Centres) -> np.ndarray:
    """Draw for each video a speaker who is not its label: by a hash, so that no other video has a say in it."""
    count = len(centres.speakers)
    if count < 2:
        return own
    names, first, inverse = np.unique(video, return_index=True, return_inverse=True)
    digests = [hashlib.blake2b(str(v).encode(), digest_size=8).digest() for v in names]
    step = np.array([int.from_bytes(d, "little") % (count - 1) + 1 for d in digests])
    return ((own[first] + step) % count)[inverse.reshape(-1)]
