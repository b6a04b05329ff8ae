from __future__ import annotations

import numpy as np
import pytest
import torch

from avsieve.encoders.fbank import LogMel, frames_of, mel_filters


def by_definition(wave: np.ndarray) -> np.ndarray:
    """Compute the features of one utterance from the formulas, frame by frame, with a plain Fourier sum."""
    emphasised = wave - 0.97 * np.concatenate([wave[1:2], wave[:-1]])
    padded = np.concatenate([emphasised[256:0:-1], emphasised, emphasised[-2:-258:-1]])
    window = np.zeros(512)
    window[56:456] = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    fourier = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(512)) / 512)
    frames = [padded[s : s + 512] * window for s in range(0, len(wave) + 1, 160)]
    power = np.abs(fourier @ np.array(frames).T) ** 2
    lowest, highest = 2595 * np.log10(1 + np.array([20, 7600]) / 700)
    edges = 700 * (10 ** (np.linspace(lowest, highest, 82) / 2595) - 1)
    hz = np.arange(257) * 8000 / 256
    mels = np.zeros((80, power.shape[1]))
    for m in range(80):
        low, peak, high = edges[m : m + 3]
        weight = np.clip(np.minimum((hz - low) / (peak - low), (high - hz) / (high - peak)), 0, None)
        mels[m] = weight @ power
    features = np.log(mels + 1e-6)
    return features - features.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("samples", [1600, 4801, 16_000])
def test_the_features_are_those_of_the_formulas(samples: int) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, samples)
    found = LogMel()(torch.tensor(wave, dtype=torch.float32)[None])[0].numpy()
    expected = by_definition(wave)
    assert found.shape == expected.shape == (80, samples // 160 + 1)
    assert np.abs(found - expected).max() < 2e-3


def test_the_filters_cover_the_band_and_peak_below_one() -> None:
    filters = mel_filters()
    hz = np.linspace(0, 8000, 257)
    assert filters.shape == (257, 80)
    assert filters.dtype == np.float32
    assert not filters[(hz <= 20) | (hz >= 7600)].any()
    assert filters.max() <= 1
    assert np.all(np.diff(filters.argmax(axis=0)) >= 0)


def test_padding_has_no_influence() -> None:
    front, waves = LogMel(), torch.randn(3, 9000)
    lengths = torch.tensor([9000, 6401, 3200])
    batch = front(waves, lengths)
    for row, length in enumerate(lengths):
        alone, frames = front(waves[row : row + 1, :length])[0], int(frames_of(length))
        assert torch.allclose(batch[row, :, :frames], alone, atol=1e-4)
        assert not batch[row, :, frames:].any()


def test_the_front_end_stores_no_constants_and_stays_in_full_precision() -> None:
    front = LogMel()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert front(torch.randn(1, 2000)).dtype == torch.float32
    assert not front.state_dict()
