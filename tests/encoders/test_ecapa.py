from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from avsieve.encoders.ecapa import ECAPA, ecapa512, ecapa1024, ecapa_small


def trained_like(network: ECAPA) -> ECAPA:
    """Give batch normalisation the statistics and scales that a trained network has."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


class ByDefinition:
    """The network in double precision NumPy, layer after layer, for one utterance of features (bands, frames)."""

    def __init__(self, network: ECAPA) -> None:
        self.w = {k: v.double().numpy() for k, v in network.state_dict().items()}

    def conv(self, name: str, x: np.ndarray, dilation: int = 1) -> np.ndarray:
        weight, bias = self.w[f"{name}.weight"], self.w[f"{name}.bias"]
        reach = weight.shape[2] // 2 * dilation
        padded = np.pad(x, ((0, 0), (reach, reach)))
        taps = [weight[:, :, k] @ padded[:, k * dilation : k * dilation + x.shape[1]] for k in range(weight.shape[2])]
        return np.sum(taps, axis=0) + bias[:, None]

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        mean, var = self.w[f"{name}.running_mean"], self.w[f"{name}.running_var"]
        scale = self.w[f"{name}.weight"] / np.sqrt(var + 1e-5)
        return (x.T * scale + self.w[f"{name}.bias"] - mean * scale).T

    def block(self, name: str, x: np.ndarray, dilation: int, scale: int) -> np.ndarray:
        parts = np.split(self.norm(f"{name}.bn1", np.maximum(self.conv(f"{name}.conv1", x), 0)), scale)
        out, last = [], 0
        for i in range(scale - 1):
            mixed = self.conv(f"{name}.convs.{i}", parts[i] + last, dilation)
            last = self.norm(f"{name}.bns.{i}", np.maximum(mixed, 0))
            out.append(last)
        y = np.concatenate([*out, parts[-1]])
        y = self.norm(f"{name}.bn3", np.maximum(self.conv(f"{name}.conv3", y), 0))
        gate = self.conv(f"{name}.se.se.3", np.maximum(self.conv(f"{name}.se.se.1", y.mean(1, keepdims=True)), 0))
        return y / (1 + np.exp(-gate)) + x

    def __call__(self, features: np.ndarray, scale: int) -> np.ndarray:
        x = self.norm("bn1", np.maximum(self.conv("conv1", features), 0))
        x1 = self.block("layer1", x, 2, scale)
        x2 = self.block("layer2", x + x1, 3, scale)
        x3 = self.block("layer3", x + x1 + x2, 4, scale)
        x = np.maximum(self.conv("layer4", np.concatenate([x1, x2, x3])), 0)
        context = np.stack([x.mean(1), np.sqrt(np.maximum(x.var(1, ddof=1), 1e-4))]).reshape(-1, 1)
        hidden = self.conv("attention.0", np.concatenate([x, context.repeat(x.shape[1], 1)]))
        scores = self.conv("attention.4", np.tanh(self.norm("attention.2", np.maximum(hidden, 0))))
        weights = np.exp(scores - scores.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        mu = (x * weights).sum(1)
        sigma = np.sqrt(np.maximum((x**2 * weights).sum(1) - mu**2, 1e-4))
        pooled = self.norm("bn5", np.concatenate([mu, sigma]))
        return self.norm("bn6", self.w["fc6.weight"] @ pooled + self.w["fc6.bias"])


@pytest.mark.parametrize(("build", "scale"), [(ecapa512, 8), (ecapa_small, 4)])
def test_the_network_computes_what_its_definition_says(build: type[ECAPA], scale: int) -> None:
    network = trained_like(build())
    waves = torch.randn(1, 8000) * 0.1
    with torch.no_grad():
        found = network(waves)[0].double().numpy()
        features = network.fbank(waves)[0].double().numpy()
    expected = ByDefinition(network)(features, scale)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_the_sizes_are_those_of_the_published_networks() -> None:
    count = {f.__name__: sum(p.numel() for p in f().parameters()) for f in (ecapa512, ecapa1024, ecapa_small)}
    # With C = 1024 the published layout has 14,654,656 weights and three gates of 2 x 1024 x 128 + 1152.
    assert count == {"ecapa512": 6_978_176, "ecapa1024": 14_654_656 + 3 * 263_296, "ecapa_small": 379_520}


def test_the_names_are_those_of_the_published_checkpoints() -> None:
    names = set(ecapa1024().state_dict())
    published = (
        "conv1.weight bn1.running_var layer1.conv1.bias layer2.convs.6.weight layer3.bns.0.bias layer1.se.se.1.weight "
        "layer1.se.se.3.bias layer4.weight attention.0.weight attention.2.running_mean attention.4.bias bn5.weight"
    )
    assert names >= {*published.split(), "fc6.weight", "bn6.num_batches_tracked"}
    # A block: two 1 x 1 and seven other convolutions, nine normalisations, a gate of two layers.
    assert len(names) == 2 + 5 + 3 * (2 * 9 + 5 * 9 + 4) + 2 + (2 + 5 + 2) + 5 + 2 + 5


def test_an_embedding_does_not_depend_on_its_batch() -> None:
    network = trained_like(ecapa_small())
    waves, lengths = torch.randn(4, 20_000), torch.tensor([20_000, 15_999, 9_000, 400])
    with torch.no_grad():
        batch = network(waves, lengths)
        alone = torch.cat([network(waves[i : i + 1, :n]) for i, n in enumerate(lengths)])
    assert torch.cosine_similarity(batch, alone).min() > 0.99999


def test_training_gives_every_weight_a_gradient() -> None:
    network = ecapa_small().train()
    network(torch.randn(4, 8000)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
