"""Which optimiser trains an encoder, with what."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from avsieve.errors import ConfigError


@dataclass(frozen=True)
class Optimiser:
    """Which optimiser, with what.

    Parameters
    ----------
    name
        ``adam`` (decay added to the gradient, as AVCleanse has it), ``adamw`` or ``sgd`` (momentum 0.9, Nesterov).
    weight_decay
        Decay of the weights.
    clip
        Largest norm of the gradient; 0 for none.
    """

    name: str = "adam"
    weight_decay: float = 2e-5
    clip: float = 5.0

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser of ``parameters``; the schedule sets its learning rate before every step."""
        if self.name == "adam":
            return torch.optim.Adam(parameters, weight_decay=self.weight_decay)
        if self.name == "adamw":
            return torch.optim.AdamW(parameters, weight_decay=self.weight_decay)
        if self.name == "sgd":
            return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=self.weight_decay)
        raise ConfigError(f"optimiser: {self.name!r} is not known; expected adam, adamw or sgd")
