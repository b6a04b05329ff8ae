"""Quality measures brought to mean 0 and variance 1, by what the training utterances have."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class StandardMeasures(nn.Module):
    """Means and scales of the measures (Q,) of one modality (`avsieve.fusion.measures`), float64."""

    mean: Tensor
    scale: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(count, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(count, dtype=torch.float64))

    @torch.no_grad()
    def fit(self, measures: np.ndarray) -> None:
        """Learn from measures (U, Q), NaN where not known; what nobody has stays as it is."""
        for k, x in enumerate(measures.T):
            if len(known := x[~np.isnan(x)]):
                mean, scale = float(known.mean()), float(known.std())
                self.mean[k] = mean
                # What is the same everywhere tells nothing, and is not to be divided by its rounding.
                self.scale[k] = scale if scale > 1e-6 * max(1.0, abs(mean)) else np.inf

    def forward(self, measures: np.ndarray) -> np.ndarray:
        """Return the standardised measures (U, Q) float64, 0 where not known."""
        return np.nan_to_num((measures - self.mean.cpu().numpy()) / self.scale.cpu().numpy())
