"""The one interface of all fusion models: from inputs to the parts whose cosines are averaged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from avsieve.evaluation.scoring import Part
from avsieve.fusion.inputs import Inputs


class FusionModel(ABC):
    """Turn what is known of each utterance into one or more unit vectors.

    A trial's score is the mean of the parts' cosines over the parts that both of its sides have
    (`avsieve.evaluation.scoring.mean_of_cosines`). A model that fuses embeddings returns one part; one that fuses
    scores returns one part per modality. The same call serves scoring, nearest-speaker search and export.
    """

    name: ClassVar[str]
    trained: ClassVar[bool] = False

    @abstractmethod
    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the parts, each with one row per utterance; absent rows where nothing is known."""
