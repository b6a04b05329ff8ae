from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from avsieve.encoders import load_audio_encoder
from avsieve.encoders.rawnet2 import WINDOW, RawNet2, SincFilters, window_starts
from avsieve.errors import ModelError


@pytest.fixture(scope="module")
def network() -> RawNet2:
    """Return the network with statistics and scales such as training gives."""
    torch.manual_seed(0)
    made = RawNet2()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    nn.init.uniform_(made.ln.gamma, 0.5, 1.5)
    nn.init.normal_(made.ln.beta, 0, 0.1)
    return made.eval()


def voice(samples: int, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / 16_000
    tones = sum(np.sin(2 * np.pi * (rng.uniform(80, 3000) * t + 3 * np.sin(rng.uniform(1, 5) * t))) for _ in range(5))
    return torch.from_numpy((0.1 * tones + 0.01 * rng.standard_normal(samples)).astype(np.float32))


class ByDefinition:
    """The network in double precision NumPy over its weights, for one window of samples."""

    def __init__(self, network: RawNet2, *, normalise_first: bool = True) -> None:
        self.w = {k: v.double().numpy() for k, v in network.state_dict().items()}
        self.normalise_first = normalise_first

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        mean, var, weight, bias = (
            self.w[f"{name}.{k}"][:, None] for k in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / np.sqrt(var + 1e-5) * weight + bias

    def conv(self, name: str, x: np.ndarray) -> np.ndarray:
        weight = self.w[f"{name}.weight"]
        reach = weight.shape[2] // 2
        padded = np.pad(x, ((0, 0), (reach, reach)))
        taps = [weight[:, :, k] @ padded[:, k : k + x.shape[1]] for k in range(weight.shape[2])]
        return np.sum(taps, axis=0) + self.w[f"{name}.bias"][:, None]

    def filters(self) -> np.ndarray:
        low = 50 + np.abs(self.w["first_conv.low_hz_"])
        high = np.clip(low + 50 + np.abs(self.w["first_conv.band_hz_"]), 50, 8000)
        n = np.arange(-125, 126)
        window = 0.54 - 0.46 * np.cos(2 * np.pi * np.linspace(0, 124.5, 125) / 251)
        window = np.concatenate([window, [1], window[::-1]])
        # An ideal band-pass: the difference of two sinc functions, over what it is in the middle.
        ideal = 2 * high * np.sinc(2 * high * n / 16_000) - 2 * low * np.sinc(2 * low * n / 16_000)
        return ideal / (2 * (high - low)) * window

    @staticmethod
    def leaky(x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, 0.3 * x)

    @staticmethod
    def thirds(x: np.ndarray) -> np.ndarray:
        return x[:, : x.shape[1] // 3 * 3].reshape(len(x), -1, 3).max(axis=2)

    def __call__(self, wave: np.ndarray) -> np.ndarray:
        wave = wave / np.abs(wave).max()
        wave = self.w["ln.gamma"] * (wave - wave.mean()) / (wave.std(ddof=1) + 1e-6) + self.w["ln.beta"]
        x = np.stack([np.correlate(wave, taps, "valid") for taps in self.filters()])
        x = self.leaky(self.norm("first_bn", self.thirds(np.abs(x))))
        for i in range(6):
            name = f"block{i}.0"
            y = self.leaky(self.norm(f"{name}.bn1", x)) if i and self.normalise_first else x
            y = self.conv(f"{name}.conv2", self.leaky(self.norm(f"{name}.bn2", self.conv(f"{name}.conv1", y))))
            x = self.thirds(y + (self.conv(f"{name}.conv_downsample", x) if i == 2 else x))
            a = 1 / (1 + np.exp(-(self.w[f"{name}.frm.fc.weight"] @ x.mean(1) + self.w[f"{name}.frm.fc.bias"])))
            x = (x + 1) * a[:, None]
        h = np.zeros(1024)
        for frame in self.leaky(self.norm("bn_before_gru", x)).T:
            ours = self.w["gru.weight_ih_l0"] @ frame + self.w["gru.bias_ih_l0"]
            past = self.w["gru.weight_hh_l0"] @ h + self.w["gru.bias_hh_l0"]
            reset, update = 1 / (1 + np.exp(-(ours[:2048] + past[:2048]))).reshape(2, 1024)
            h = (1 - update) * np.tanh(ours[2048:] + reset * past[2048:]) + update * h
        return self.w["fc1_gru.weight"] @ h + self.w["fc1_gru.bias"]


def test_the_network_computes_what_its_definition_says(network: RawNet2) -> None:
    wave = voice(WINDOW)
    with torch.no_grad():
        found = network(wave[None])[0].double().numpy()
    expected = ByDefinition(network)(wave.double().numpy())
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_the_filters_pass_their_band_and_stop_the_rest() -> None:
    taps = SincFilters().taps()[:, 0].detach().double().numpy()
    gain = np.abs(np.fft.rfft(taps, 16_000))  # a bin a hertz
    assert taps.shape == (128, 251)
    assert np.allclose(taps, taps[:, ::-1])
    for number, low in ((10, 228), (64, 1817), (120, 6835)):  # mel-spaced edges from 30 Hz, raised by 50 Hz
        peak = int(gain[number].argmax())
        assert low - 60 < peak < low + 300
        assert gain[number][: max(peak - 400, 0)].max(initial=0) < 0.1 * gain[number].max()


def test_utterances_are_cut_as_the_authors_evaluation_cuts_them() -> None:
    assert window_starts(16_000) == window_starts(WINDOW) == [0]
    assert window_starts(WINDOW + 1) == [0, 1]
    assert window_starts(8 * 16_000) == [0, 47_239, 128_000 - WINDOW]


def test_an_embedding_is_the_mean_over_windows_and_does_not_depend_on_its_batch(network: RawNet2) -> None:
    lengths = torch.tensor([100_000, 20_000, WINDOW])
    batch = torch.zeros(3, 100_000)
    for row, n in enumerate(lengths):
        batch[row, :n] = voice(int(n), row)
    with torch.no_grad():
        found = network(batch, lengths)
        alone = torch.cat([network(batch[i : i + 1, :n]) for i, n in enumerate(lengths)])
        loud = batch[0] / batch[0].abs().max()
        windows = network.embed(torch.stack([loud[:WINDOW], loud[-WINDOW:]]))
        repeated = network.embed((batch[1, :20_000] / batch[1].abs().max()).repeat(3)[None, :WINDOW])
    assert torch.cosine_similarity(found, alone).min() > 0.99999
    assert torch.allclose(found[0], windows.mean(0), atol=1e-5)
    assert torch.allclose(found[1], repeated[0], atol=1e-5)


def test_the_keys_and_the_number_of_weights_are_the_published_ones(network: RawNet2) -> None:
    # Counted over the authors' model without its classifier (fc2_gru).
    assert sum(p.numel() for p in network.parameters()) == 7_114_578
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    published = {
        "ln.gamma": (59_049,), "first_conv.low_hz_": (128, 1), "first_conv.band_hz_": (128, 1), "first_bn.bias": (128,),
        "block0.0.conv1.weight": (128, 128, 3), "block1.0.bn1.weight": (128,), "block2.0.frm.fc.weight": (256, 256),
        "block2.0.conv_downsample.weight": (256, 128, 1), "bn_before_gru.weight": (256,),
        "gru.weight_ih_l0": (3072, 256), "fc1_gru.weight": (1024, 1024),
    }  # fmt: skip
    assert {k: shapes.get(k) for k in published} == published
    assert "block0.0.bn1.weight" not in shapes


@pytest.mark.parametrize("prefix", ["", "module."])
def test_both_published_layouts_load(network: RawNet2, tmp_path: Path, prefix: str) -> None:
    beside = {"fc2_gru.weight": torch.zeros(7, 1024), "fc2_gru.bias": torch.zeros(7)}
    state = network.state_dict() | beside
    wave = voice(WINDOW, 3)[None]
    torch.save({prefix + k: v for k, v in state.items()}, tmp_path / "trained.pt")
    trained = load_audio_encoder("rawnet2", tmp_path / "trained.pt")
    released = {k.replace("block", "fc_attention").replace("0.frm.fc.", "0.") if "frm" in k else k: v
                for k, v in state.items()}  # fmt: skip
    torch.save({prefix + k: v for k, v in released.items()}, tmp_path / "released.pt")
    first = load_audio_encoder("rawnet2", tmp_path / "released.pt")
    with torch.no_grad():
        assert torch.equal(trained(wave), network(wave))
        found = first(wave)[0].double().numpy()
    expected = ByDefinition(network, normalise_first=False)(wave[0].double().numpy())
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_a_checkpoint_with_other_gates_is_refused(network: RawNet2, tmp_path: Path) -> None:
    state = {k.replace("frm.fc.", "se.fc."): v for k, v in network.state_dict().items()}
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"12 missing: block0\.0\.frm\.fc\.weight.*12 unexpected"):
        load_audio_encoder("rawnet2", tmp_path / "other.pt")


def test_training_gives_every_weight_a_gradient() -> None:
    made = RawNet2().train()
    made(torch.stack([voice(WINDOW, i) for i in range(2)])).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in made.parameters())
