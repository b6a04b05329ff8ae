"""Both front ends against torchaudio, where that can be imported: not beside a CPU build of torch.

With the compiled part of torchaudio 2.11 left out, the differences were 2e-5 and 1e-4 on noise (float32, int16 scale).
"""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

from avsieve.encoders.fbank import LogMel
from avsieve.encoders.kaldi_fbank import RECIPES, KaldiFbank

WAVES = torch.randn(2, 16_123, generator=torch.Generator().manual_seed(0)) * 0.1


@pytest.fixture(scope="module")
def torchaudio() -> ModuleType:
    try:
        import torchaudio
        import torchaudio.compliance.kaldi
    except (ImportError, OSError) as error:
        pytest.skip(f"torchaudio cannot be imported: {error}")
    return torchaudio


def test_the_log_mels_are_those_of_avcleanse(torchaudio: ModuleType) -> None:
    spectrogram = torchaudio.transforms.MelSpectrogram(
        sample_rate=16_000, n_fft=512, win_length=400, hop_length=160, f_min=20, f_max=7600,
        window_fn=torch.hamming_window, n_mels=80,
    )  # fmt: skip
    before = torch.nn.functional.pad(WAVES[:, None], (1, 0), "reflect")[:, 0, :-1]
    mels = (spectrogram(WAVES - 0.97 * before) + 1e-6).log()
    assert torch.allclose(LogMel()(WAVES), mels - mels.mean(dim=2, keepdim=True), atol=1e-3)


@pytest.mark.parametrize("name", RECIPES)
def test_the_filter_banks_are_those_of_kaldi(torchaudio: ModuleType, name: str) -> None:
    recipe = RECIPES[name]
    found = KaldiFbank(recipe)(WAVES)
    for ours, wave in zip(found, WAVES, strict=True):
        theirs = torchaudio.compliance.kaldi.fbank(
            wave[None] * recipe.scale, num_mel_bins=80, dither=0, sample_frequency=16_000, window_type=recipe.window
        )
        assert torch.allclose(ours, theirs - theirs.mean(dim=0), atol=1e-2)
