"""How much its label is like an utterance, compared with other labels: a measure that knows nothing of probabilities.

Similarities are of whitened embeddings, and the own video is left out of the label.
"""

from __future__ import annotations

import numpy as np

from avsieve.cleansing.channel import Listed, embeddings_of
from avsieve.cleansing.cleansed import Cleansed, Tables
from avsieve.cleansing.inputs import MODALITIES, unit_rows

_BLOCK = 20_000  # utterances from which it is learned how people vary
_OTHERS = 200  # labels to which an utterance is compared for z


def likeness_to_label(side: Cleansed, tables: Tables, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return z (n,) of the flagged rows, in what is wrong; NaN elsewhere and where there is nothing to compare."""
    found = {m: np.full(len(rows), np.nan) for m in MODALITIES}
    for m, listed in side.of_each(tables):
        wanted = np.flatnonzero(rows & side.scores.evidence[m].present)
        if not len(wanted):
            continue
        total, size = _padded(listed.sums(listed.speaker), len(side.scores.speakers))
        whiten = _whitening(listed, total, size, rng)
        mean = total.sum(axis=0) / max(size.sum(), 1)
        videos = np.unique(listed.video[wanted])
        at = np.full(int(listed.video.max()) + 1, -1)
        at[videos] = np.arange(len(videos))
        of_video, in_video = _padded(listed.sums(at[listed.video]), len(videos))
        some = rng.permutation(np.flatnonzero(size > 0))[:_OTHERS]
        others = unit_rows((total[some] - size[some, None] * mean) @ whiten)
        for part, E in embeddings_of(listed.table, listed.names, wanted):
            speaker, video = listed.speaker[part], at[listed.video[part]]
            left = size[speaker] - in_video[video]
            own = unit_rows((total[speaker] - of_video[video] - left[:, None] * mean) @ whiten)
            E = unit_rows((E - mean) @ whiten)
            mine = np.where(left > 0, np.einsum("ij,ij->i", E, own), np.nan)
            theirs = np.ma.masked_array(E @ others.T, mask=speaker[:, None] == some[None])
            spread = theirs.std(axis=1).filled(0)
            found[m][part] = (mine - theirs.mean(axis=1).filled(np.nan)) / np.where(spread > 0, spread, np.nan)
    a, v, kind = found["audio"], found["visual"], side.decisions.kind
    both = np.where(np.isnan(a), v, np.where(np.isnan(v), a, (a + v) / np.sqrt(2)))
    return np.where(kind == "audio", a, np.where(kind == "visual", v, both))


def _padded(sums: tuple[np.ndarray, np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and numbers of ``count`` groups: the last may have nothing that is trusted."""
    total, size = sums
    more = count - len(size)
    return np.pad(total, ((0, more), (0, 0))), np.pad(size, (0, more))


def _whitening(listed: Listed, total: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the map (D, D) float32 after which people vary alike in all directions.

    Else a few directions in which everybody varies would decide what is like anybody. Comparisons with labels stay
    fair in any metric. The scatter within speakers is shrunk towards a multiple of the identity, the more the fewer
    utterances there are.
    """
    rows = np.flatnonzero(listed.trusted & (size[listed.speaker] > 1))
    rows = np.sort(rng.permutation(rows)[:_BLOCK])
    dim = total.shape[1]
    scatter = np.zeros((dim, dim))
    for part, E in embeddings_of(listed.table, listed.names, rows):
        R = E - total[listed.speaker[part]] / size[listed.speaker[part], None].astype(np.float32)
        scatter += R.T @ R
    scatter /= max(len(rows), 1)
    even = np.trace(scatter) / dim
    shrink = dim / (dim + len(rows))
    value, vector = np.linalg.eigh((1 - shrink) * scatter + (shrink * even if even > 0 else 1) * np.eye(dim))
    return np.asarray((vector / np.sqrt(np.maximum(value, 1e-9))) @ vector.T, np.float32)
