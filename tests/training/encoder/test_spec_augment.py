from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from avsieve.errors import ConfigError
from avsieve.training.encoder.spec_augment import Masked, mask_bands


@pytest.mark.parametrize("axis", [1, 2])
def test_a_band_of_each_row_is_masked_and_no_more_than_the_share(axis: int) -> None:
    draws = torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    masked = mask_bands(torch.ones(50, 80, 200), axis, 0.1, draws) == 0
    lines = masked.all(dim=3 - axis)  # lines that are hidden whole
    assert torch.equal(masked, lines[:, :, None].expand_as(masked) if axis == 1 else lines[:, None].expand_as(masked))
    width = lines.sum(dim=1)
    assert 0 < width.max() < 0.1 * masked.shape[axis]
    changes = (lines[:, 1:] != lines[:, :-1]).sum(dim=1)
    assert changes.max() <= 2  # one band, not several


def test_features_are_masked_in_training_only() -> None:
    class Encoder(nn.Module):
        def fbank(self, waves: Tensor) -> Tensor:
            return torch.ones(len(waves), 80, 100)

        def embed(self, features: Tensor) -> Tensor:
            return features.mean(dim=(1, 2))[:, None]

        def forward(self, waves: Tensor) -> Tensor:
            return self.embed(self.fbank(waves))

    masked = Masked(Encoder(), 0.3)
    assert (masked.eval()(torch.zeros(8, 10)) == 1).all()
    masked.train()
    masked.begin(1, 0, 1)
    whole = masked(torch.zeros(8, 10))
    assert (whole < 1).any()
    shares = []
    for rank in range(2):
        masked.begin(1, rank, 2)
        shares.append(masked(torch.zeros(4, 10)))
    assert torch.equal(torch.cat(shares), whole)  # a row is masked the same whichever process has it


def test_an_encoder_without_features_is_trained_unmasked_or_refused() -> None:
    waves = torch.randn(3, 10)
    assert torch.equal(Masked(nn.Identity(), 0.0).train()(waves), waves)
    with pytest.raises(ConfigError, match=r"mask is 0\.1, and Identity has no filter banks to mask; expected 0"):
        Masked(nn.Identity(), 0.1)
