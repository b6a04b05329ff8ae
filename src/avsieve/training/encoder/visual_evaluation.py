"""Measure a face encoder on rendered people that it was not trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avsieve.encoders.embed_visual import embed_faces, pool
from avsieve.encoders.face_encoder import Encoder
from avsieve.evaluation.metrics import eer, error_rates
from avsieve.evaluation.scoring import Part, mean_of_cosines
from avsieve.storage.ids import parse_id
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.tables import read_table


def measure_encoder(encoder: Encoder, faces_tar: Path, detections: Path) -> dict[str, float]:
    """Compare utterances of different videos, all with all.

    Rendered people are numbered and women and men take turns, so equal parity means equal sex.

    Returns
    -------
    dict
        ``eer`` and ``eer_same_sex``: equal error rates over all pairs, and with impostors of the same sex only;
        ``target_mean``, ``nontarget_mean``, ``target_p05``, ``nontarget_p95``: cosines of pairs;
        ``own_above_nearest``: share of utterances nearer to their person's centre, built without their own video, than
        to any other person's.
    """
    with TarReader(faces_tar) as reader:
        utterances = reader.utterances
    found = embed_faces(faces_tar, read_table(detections), utterances, encoder, batch=64)
    vectors = np.stack([pool(found[u].embeddings, found[u].quality) for u in utterances])
    ids = [parse_id(u) for u in utterances]
    speakers = np.array([i.speaker for i in ids])
    videos = np.array([f"{i.speaker}/{i.video}" for i in ids])
    sexes = np.array([int(i.speaker.lstrip("p")) % 2 for i in ids])
    rows, columns = np.triu_indices(len(ids), 1)
    apart = videos[rows] != videos[columns]
    rows, columns = rows[apart], columns[apart]
    scores = mean_of_cosines([Part.of(vectors)], rows, columns)
    target = speakers[rows] == speakers[columns]
    same = sexes[rows] == sexes[columns]
    return {
        "people": len(set(speakers)),
        "utterances": len(ids),
        "eer": eer(error_rates(scores, target)),
        "eer_same_sex": eer(error_rates(scores[same], target[same])),
        "target_mean": float(scores[target].mean()),
        "target_p05": float(np.quantile(scores[target], 0.05)),
        "nontarget_mean": float(scores[~target].mean()),
        "nontarget_p95": float(np.quantile(scores[~target], 0.95)),
        "own_above_nearest": _own_above_nearest(vectors, speakers, videos),
    }


def _own_above_nearest(vectors: np.ndarray, speakers: np.ndarray, videos: np.ndarray) -> float:
    names = sorted(set(speakers))
    sums = np.stack([vectors[speakers == name].sum(axis=0) for name in names])
    right = 0
    for i, vector in enumerate(vectors):
        centres = sums.copy()
        own = names.index(speakers[i])
        centres[own] -= vectors[videos == videos[i]].sum(axis=0)
        cosines = centres @ vector / np.maximum(np.linalg.norm(centres, axis=1), 1e-9)
        right += int(cosines.argmax() == own)
    return right / len(vectors)
