from __future__ import annotations

import numpy as np
import pytest
import torch

from avsieve.encoders.kaldi_fbank import RECIPES, FbankRecipe, KaldiFbank, frames_of, used_samples


def wave(samples: int) -> np.ndarray:
    return (np.random.default_rng(samples).normal(0, 0.1, samples) + 0.05).astype(np.float32)


def by_definition(samples: np.ndarray, recipe: FbankRecipe) -> np.ndarray:
    """Compute the features frame by frame from the formulas, with a plain Fourier sum and filters band by band."""
    rows = []
    n = np.arange(400)
    cosine = np.cos(2 * np.pi * n / 399)
    window = {"hamming": 0.54 - 0.46 * cosine, "povey": (0.5 - 0.5 * cosine) ** 0.85}[recipe.window]
    fourier = np.exp(-2j * np.pi * np.outer(np.arange(256), n) / 512)
    corners = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 8000 / 700), 82)
    mel = 1127 * np.log(1 + np.arange(256) * 31.25 / 700)
    for start in range(0, len(samples) - 399, 160):
        frame = samples[start : start + 400].astype(float) * recipe.scale
        frame -= frame.mean()
        frame = (frame - 0.97 * np.concatenate([frame[:1], frame[:-1]])) * window
        power = np.abs(fourier @ frame) ** 2
        bands = []
        for low, peak, high in zip(corners[:-2], corners[1:-1], corners[2:], strict=True):
            weights = np.where(mel <= peak, (mel - low) / (peak - low), (high - mel) / (high - peak))
            bands.append(np.maximum(weights, 0) @ power)
        rows.append(np.log(np.maximum(bands, 1.1920928955078125e-07)))
    found = np.array(rows)
    return found - found.mean(axis=0) if recipe.subtract_mean else found


@pytest.mark.parametrize("recipe", [*RECIPES.values(), FbankRecipe(subtract_mean=False)])
def test_the_features_are_those_of_the_formulas(recipe: FbankRecipe) -> None:
    samples = wave(4123)
    found = KaldiFbank(recipe)(torch.from_numpy(samples)[None])[0].numpy()
    expected = by_definition(samples, recipe)
    assert found.shape == expected.shape == (24, 80)
    assert np.abs(found - expected).max() < 1e-3


@pytest.mark.parametrize("name", RECIPES)
def test_the_features_are_those_of_kaldi(name: str) -> None:
    knf = pytest.importorskip("kaldi_native_fbank")
    recipe, samples = RECIPES[name], wave(16_123)
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.window_type = recipe.window
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = 80
    kaldi = knf.OnlineFbank(options)
    kaldi.accept_waveform(16_000, (samples * recipe.scale).tolist())
    kaldi.input_finished()
    theirs = np.stack([kaldi.get_frame(i) for i in range(kaldi.num_frames_ready)])
    found = KaldiFbank(recipe)(torch.from_numpy(samples)[None])[0].numpy()
    assert np.abs(found - (theirs - theirs.mean(axis=0))).max() < 1e-3


def test_samples_after_the_last_whole_frame_do_not_count() -> None:
    assert [frames_of(n) for n in (399, 400, 559, 560)] == [0, 1, 1, 2]
    assert [used_samples(n) for n in (399, 400, 559, 560, 16_000)] == [0, 400, 400, 560, 15_920]
    front, samples = KaldiFbank(FbankRecipe()), torch.from_numpy(wave(16_000))[None]
    assert torch.equal(front(samples), front(samples[:, : used_samples(16_000)]))


def test_the_front_end_stores_no_constants_and_stays_in_full_precision() -> None:
    front = KaldiFbank(FbankRecipe())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert front(torch.randn(1, 2000)).dtype == torch.float32
    assert not front.state_dict()
