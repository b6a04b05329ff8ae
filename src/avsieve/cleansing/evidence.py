"""Pass 2: the facts about every utterance of a shard; no threshold, no decision.

Everything is compared twice: in the metric that was learned from the corpus, by which the label is judged, and by the
plain cosines of the embeddings, which users and published methods know. Centres of all speakers compete in the metric.
A foreign speaker is drawn per video as well: the similarity to that one is what a wrong label would have looked like,
and the methods learn from it what wrong is.
"""

from __future__ import annotations

import hashlib

import numpy as np

from avsieve.cleansing.centres import Centres, mapped
from avsieve.cleansing.claims import named
from avsieve.cleansing.inputs import MODALITIES, Shard
from avsieve.cleansing.nearest import Competition
from avsieve.cleansing.pooling import compare, pool_speaker
from avsieve.cleansing.scores import PERSONS, Evidence, Scores
from avsieve.errors import AvsieveError


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
    claims = centres.claims()
    for _, rows in shard.speakers():
        video = shard.video[rows]
        speaker = int(own[rows[0]])
        turned = None if centres.turned[speaker] < 0 else int(centres.turned[speaker])
        model = pool_speaker({m: inner.embeddings[m][rows] for m in MODALITIES}, video, centres.calibration, turned)
        theirs, mine = claims.of_label(named(model), speaker)
        persons["second"][rows] = model.second
        persons["doubt"][rows] = model.rivals.doubt(theirs, mine)
        persons["rival"][rows] = model.rivals.share(theirs)
        for m in MODALITIES:
            raw = compare(shard.embeddings[m][rows], video, model.weight[m], turned is not None)
            for e, c in ((learned[m], model.compare(m)), (plain[m], raw)):
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
    nearest, joint = Competition(centres.centre).find(inner.embeddings, shard.present, own)
    for m in MODALITIES:
        learned[m].other, learned[m].other_speaker = nearest[m].value, nearest[m].speaker
        plain[m].other, plain[m].other_speaker = _plainly(shard.embeddings[m], centres.plain[m], nearest[m].speaker)
    return Scores(
        utterance=np.array(shard.utterance, dtype=object),
        speaker=own,
        video=shard.video,
        speakers=centres.speakers,
        evidence=plain,
        learned=learned,
        joint=joint.value,
        joint_speaker=joint.speaker,
        **persons,
    )


def _plainly(embeddings: np.ndarray, centres: np.ndarray, speaker: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cosines (n, 3) of utterances to other speakers' centres, and these, the most similar first."""
    cosine = np.full(speaker.shape, np.nan, np.float32)
    for k in range(speaker.shape[1]):
        rows = np.flatnonzero(speaker[:, k] >= 0)
        cosine[rows, k] = np.einsum("ij,ij->i", embeddings[rows], centres[speaker[rows, k]])
    order = np.argsort(-cosine, axis=1, kind="stable")
    return np.take_along_axis(cosine, order, axis=1), np.take_along_axis(speaker, order, axis=1)


def _foreign(video: np.ndarray, own: np.ndarray, centres: Centres) -> np.ndarray:
    """Draw for each video a speaker who is not its label: by a hash, so that no other video has a say in it."""
    count = len(centres.speakers)
    if count < 2:
        return own
    names, first, inverse = np.unique(video, return_index=True, return_inverse=True)
    digests = [hashlib.blake2b(str(v).encode(), digest_size=8).digest() for v in names]
    step = np.array([int.from_bytes(d, "little") % (count - 1) + 1 for d in digests])
    return ((own[first] + step) % count)[inverse.reshape(-1)]
