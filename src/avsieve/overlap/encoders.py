"""Whether two corpora were embedded by one model, told from the embeddings where nothing else tells.

Networks whose embeddings have one length have nothing else in common: where people lie is each network's own. With D
and E the second moments of the centres of two samples, less their multiple of the identity, the cosine of D and E is
near 1 for samples of one model, pulled down by chance, by which also two halves of one corpus differ. Of two models it
is near 0. So it is compared with what both corpora have with themselves.
"""

from __future__ import annotations

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.overlap.people import People

_ALIKE = 0.1  # of two halves of one corpus: below, there is too little to tell
_OTHER = 0.25  # of what halves of one corpus have in common: of two models


def refuse_other_encoders(a: People, b: People, modality: str) -> None:
    """Refuse embeddings that are evidently of two models.

    Raises
    ------
    AvsieveError
        With the likeness of the corpora, and what a corpus has with itself.
    """
    first, second = (_halves(people.centre[modality][np.flatnonzero(people.has(modality))[:8000]]) for people in (a, b))
    own = [_cosine(*halves) for halves in (first, second)]
    if min(own) < _ALIKE:
        return
    between = _cosine(first[0] + first[1], second[0] + second[1])
    if between < _OTHER * min(own):
        raise AvsieveError(
            f"the {modality} embeddings of the two corpora vary in other directions (likeness {between:.2f}; halves of "
            f"one corpus have {min(own):.2f} or more): they are of different models; embed both with the same one"
        )


def _halves(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the second moments (D, D) of every other centre, and of the others."""
    parts = [centres[start::2][:4000].astype(np.float64) for start in (0, 1)]
    return tuple(part.T @ part / max(len(part), 1) for part in parts)  # type: ignore[return-value]


def _cosine(first: np.ndarray, second: np.ndarray) -> float:
    D = len(first)
    first, second = (x - np.trace(x) / D * np.eye(D) for x in (first, second))
    below = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / below) if below > 0 else 0.0
