"""What every method returns: how likely each utterance's voice, face, or either is not the label's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from avsieve.cleansing.scores import Scores


@dataclass
class Judgement:
    """Probabilities (n,) float64: NaN where the modality is missing or was not judged, for ``wrong`` where both are.

    ``wrong`` is the probability that at least one of the modalities judged is wrong. ``calibrated`` tells whether
    these are probabilities, from which precision and recall can be expected, or only a method's yes (1) and no (0).
    ``facts`` are what the method learned or used, for ``summary.json``. ``unjudged`` says of a modality that could not
    be judged at all why it could not. ``sceptical`` is the same with the other reading of what
    the data leave open, from which the figures that are expected of a list get their range.
    """

    audio_wrong: np.ndarray
    visual_wrong: np.ndarray
    wrong: np.ndarray
    calibrated: bool
    facts: dict[str, Any] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    sceptical: Judgement | None = None

    @property
    def both_wrong(self) -> np.ndarray:
        """Probability that voice and face are both wrong, (n,); with one modality judged, that one's."""
        a, v = self.audio_wrong, self.visual_wrong
        both = np.clip(a + v - self.wrong, 0.0, 1.0)
        return np.where(np.isnan(a), v, np.where(np.isnan(v), a, both))


TOO_LITTLE = "there are too few utterances or speakers to learn from"
NOT_APART = "the embeddings do not tell the speakers apart"


def from_flags(scores: Scores, audio: np.ndarray, visual: np.ndarray, **facts: Any) -> Judgement:
    """Return the judgement of a method that says yes (1), no (0) or nothing (NaN) per modality."""
    judged = {m: e.present & ~np.isnan(e.similarity) for m, e in scores.evidence.items()}
    a, v = (np.where(judged[m], flags.astype(float), np.nan) for m, flags in (("audio", audio), ("visual", visual)))
    return Judgement(a, v, np.fmax(a, v), calibrated=False, facts=facts, unjudged=unjudged_of(scores, a, v))


def unjudged_of(scores: Scores, audio: np.ndarray, visual: np.ndarray) -> dict[str, str]:
    """Say of which modality there is something and nothing was judged."""
    wrong = {"audio": audio, "visual": visual}
    return {m: TOO_LITTLE for m, p in wrong.items() if scores.evidence[m].present.any() and np.isnan(p).all()}
