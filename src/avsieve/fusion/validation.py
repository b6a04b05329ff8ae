"""How well the training of a fusion network does on speakers of its list that it is not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from avsieve.fusion.inputs import Inputs
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.pairs import labels_of
from avsieve.training.devices import gathered
from avsieve.training.validation import PairsOfVideos, Watch, check_split, is_held


@dataclass
class _Labelled:
    utterances: list[str]
    classes: int
    labels: np.ndarray


def held_rows(inputs: Inputs, speakers: Sequence[str], share: float) -> np.ndarray:
    """Return the rows (N,) of the utterances with any modality whose speakers are held out, rising.

    Raises
    ------
    ConfigError
        If fewer than two speakers would be held out, or left.
    """
    there = np.flatnonzero(inputs.audio.present | inputs.visual.present)
    names = {speakers[i] for i in there.tolist()}
    held = {name for name in names if is_held(name, share)}
    check_split(len(held), len(names), share)
    return np.array([i for i in there.tolist() if speakers[i] in held], np.int64)


class FusionValidation:
    """The equal error rate of fused embeddings over all pairs of different videos of the speakers held out.

    Parameters
    ----------
    inputs, speakers
        Their utterances, and the speaker of each.
    watch
        When to measure, and what to keep.

    Raises
    ------
    ConfigError
        If no speaker has two videos.
    """

    def __init__(self, inputs: Inputs, speakers: Sequence[str], watch: Watch) -> None:
        names, labels = labels_of(speakers)
        self.watch, self.speakers = watch, len(names)
        self._pairs = PairsOfVideos(_Labelled(inputs.utterances, len(names), labels))
        self._inputs = inputs.of(np.array(self._pairs.picked))

    @property
    def utterances(self) -> int:
        """How many are compared."""
        return len(self._inputs)

    def eer(self, fabric: Fabric, network: nn.Module) -> float:
        """Return the equal error rate of ``network``, the same in every process: that of the first one."""
        assert isinstance(network, NeuralFusion)
        found = 0.0
        if fabric.is_global_zero:
            found = self._pairs.eer(network.encode(self._inputs)[0].vectors)
        return float(gathered(fabric, torch.tensor(found, dtype=torch.float64, device=fabric.device))[0])
