"""How a fusion network is trained; kept apart from the networks so that a command line can show it at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    epochs, batch_size, learning_rate
        Passes over the list; utterances per step; Adam's first rate, which falls to zero along a cosine.
    pull
        Weight of the squared distance to the first weights (Li et al., "Explicit inductive bias for transfer learning",
        ICML 2018): small sets stay near what the encoders know. In units of the loss per mean squared change relative
        to the first weights.
    margin, scale
        Of the AAM-softmax; the margin grows from 0 over the first fifth of the epochs.
    drop_modality
        Share of training rows that lose one modality, at random, so that scoring without it has been seen.
    """

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    pull: float = 10.0
    margin: float = 0.2
    scale: float = 15.0
    drop_modality: float = 0.2

    def facts(self) -> dict[str, float | int]:
        """Return the recipe for the model's metadata."""
        return asdict(self)
