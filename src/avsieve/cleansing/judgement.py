"""What every method returns: how likely each utterance's voice, face, or either is not the label's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from avsieve.cleansing.scores import Scores


@dataclass
class Judgement:
    """Probabilities (n,) float64: NaN where the modality is missing, and for ``wrong`` where both are.

    ``wrong`` is the probability that at least one of the modalities present is wrong. ``calibrated`` tells whether
    these are probabilities, from which precision and recall can be expected, or only a method's yes (1) and no (0).
    ``facts`` are what the method learned or used, for ``summary.json``.
    """

    audio_wrong: np.ndarray
    visual_wrong: np.ndarray
    wrong: np.ndarray
    calibrated: bool
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def both_wrong(self) -> np.ndarray:
        """Probability that voice and face are both wrong, (n,); with one modality present, that one's."""
        a, v = self.audio_wrong, self.visual_wrong
        both = np.clip(a + v - self.wrong, 0.0, 1.0)
        return np.where(np.isnan(a), v, np.where(np.isnan(v), a, both))


def from_flags(scores: Scores, audio: np.ndarray, visual: np.ndarray, **facts: Any) -> Judgement:
    """Return the judgement of a method that says yes or no per modality."""
    a = np.where(scores.audio.present, audio.astype(float), np.nan)
    v = np.where(scores.visual.present, visual.astype(float), np.nan)
    return Judgement(a, v, np.fmax(a, v), calibrated=False, facts=facts)
