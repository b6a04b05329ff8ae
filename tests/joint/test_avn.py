"""AVN-F and AVN-J: the sizes of the attention modules, their formulas, positions of padded frames, and the noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from avsieve.errors import ConfigError
from avsieve.fusion.avn_network import AvnE
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.joint.avn_network import AvnF, ChannelAttention, positions_of
from avsieve.joint.heads import HeadNetwork

from .made_up import batch_of_five, new_network, settings_of


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_attention_modules_have_the_published_numbers_of_parameters() -> None:
    assert count(ChannelAttention(1)) == 2184
    third = ChannelAttention(3)
    assert count(third.squeeze) + count(third.expand) == 1050
    second = ChannelAttention(2)
    assert count(second.squeeze) + count(second.expand) == 2184


@pytest.mark.parametrize("kind", [1, 2, 3])
@torch.no_grad()
def test_attention_is_a_weight_per_channel_or_per_modality(kind: int) -> None:
    torch.manual_seed(1)
    attention, audio, visual = ChannelAttention(kind), torch.randn(3, 64, 5), torch.randn(3, 64, 5)
    both = torch.tensor([True, True, True])
    alpha, beta = attention(audio, visual, both, both)
    assert alpha.shape == beta.shape == (3, 1 if kind == 3 else 64)
    a, v = audio, visual
    if kind > 1:
        a = F.relu(F.conv1d(a, attention.audio_convolution.weight, attention.audio_convolution.bias, padding=1))
        v = F.relu(F.conv1d(v, attention.visual_convolution.weight, attention.visual_convolution.bias, padding=1))
    c = torch.cat([a.mean(dim=2), v.mean(dim=2)], dim=1)
    hidden = F.relu(c @ attention.squeeze.weight.T + attention.squeeze.bias)
    expected = torch.sigmoid(hidden @ attention.expand.weight.T + attention.expand.bias)
    torch.testing.assert_close(torch.cat([alpha, beta], dim=1), expected)
    alpha, beta = attention(audio, visual, torch.tensor([True, False, True]), torch.tensor([True, True, False]))
    assert (alpha[1] == 0).all()
    assert (beta[2] == 0).all()


def test_positions_average_the_frames_that_exist() -> None:
    values = torch.arange(6.0)[None, None].repeat(2, 1, 1)
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], dtype=torch.bool)
    found = positions_of(values, mask, 3)
    torch.testing.assert_close(found[:, 0], torch.tensor([[0.5, 2.5, 4.5], [0.0, 1.0, 2.0]]))
    # Frames over a border count on either side by their share: of 3 frames in 2 positions the middle one by half.
    torch.testing.assert_close(positions_of(values, mask, 2)[1, 0], torch.tensor([(0 + 0.5) / 1.5, (0.5 + 2) / 1.5]))


def test_states_are_the_last_ones_unless_named() -> None:
    assert settings_of("avn_f").states() == ("layer4", "last")  # type: ignore[attr-defined]
    _, _, network = new_network("avn_f", audio_state="layer2", visual_state="stage1")
    assert isinstance(network, AvnF)
    assert network.states == ("layer2", "stage1")
    assert network.visual_map.in_channels == 32
    with pytest.raises(ConfigError, match="no inner state 'conv5'"):
        settings_of("avn_f", visual_state="conv5")


def test_avn_j_perturbs_embeddings_in_training_alone() -> None:
    _, _, network = new_network("avn_j", noisy=1.0)
    assert isinstance(network, HeadNetwork)
    head = network.head
    assert isinstance(head, AvnE)
    rng = np.random.default_rng(0)
    names = [f"p{k}/v{i}/{j}" for k in range(6) for i in range(2) for j in range(2)]
    labels = np.repeat(np.arange(6), 4)
    streams = [Stream(rng.standard_normal((24, e.dim)).astype(np.float32), np.ones(24, bool)) for e in network.encoders]
    network.start(Inputs(names, *streams), labels)
    assert head.audio_noise.abs().sum() > 0
    assert head.visual_noise.abs().sum() > 0
    whole = batch_of_five().rows(slice(0, 1))
    for encoder in network.encoders:  # dropout and statistics aside
        encoder.eval()
    network.train(False)
    assert torch.equal(network(whole), network(whole))
    head.train()
    network.training = True
    assert not torch.equal(network(whole), network(whole))
