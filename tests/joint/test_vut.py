"""The VUT thesis's networks: their formulas by hand, their sizes as published, their learning rates."""

from __future__ import annotations

from typing import NoReturn

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from avsieve.config.model import parse_config
from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.encoders.states import InnerStates, Layer
from avsieve.errors import ConfigError
from avsieve.joint.vut import VutFramesSettings, VutLowerSettings
from avsieve.joint.vut_lower_network import VutLower
from avsieve.joint.vut_network import AUDIO_RISE, HEAD_RATE, layer_rates

from .made_up import SMALL, batch_of_five, new_network, settings_of


class Offering(InnerStates, nn.Module):
    """An encoder by its description alone."""

    def __init__(self, dim: int, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        self.dim, self.offers = dim, layers

    def forward_states(self, *_: object, **__: object) -> NoReturn:
        raise AssertionError("it has no network")


def test_the_head_of_lower_level_attention_has_the_published_number_of_parameters() -> None:
    own = VutLowerSettings(audio_arch="wavlm_mhfa", visual_arch="inception_resnet_v1_112")
    states = own.states()
    assert states == (["layer1", "layer3", "layer5"], ["conv2d_2a", "conv2d_4a", "repeat_1"])
    audio = Offering(256, AUDIO["wavlm_mhfa"].states)
    visual = Offering(512, VISUAL["inception_resnet_v1_112"].states)
    network = VutLower(audio, visual, states, 512, trained=True)
    assert [level.in_features for level in network.levels] == [768 + 2809, 768 + 576, 768 + 121]
    assert sum(p.numel() for p in network.parameters()) == 407_404  # the thesis has 0.407 M


@torch.no_grad()
def test_lower_level_attention_is_the_mean_of_four_logits() -> None:
    _, _, network = new_network("vut_lower", length=16)
    network.eval()
    batch = batch_of_five()
    fused = network.embed(batch)[0][0]
    # Row 1 by hand: a voice, and one face.
    n = int(batch.samples[1])
    assert isinstance(network, VutLower)
    voice, heard = network.audio.forward_states(batch.waves[1:2, :n], only=network.states[0])  # type: ignore[operator]
    face, seen = network.visual.forward_states(  # type: ignore[operator]
        (batch.faces[1, :1].float() - 127.5) / 127.5, only=network.states[1]
    )
    a, v = F.normalize(voice, dim=1), F.normalize(face, dim=1)
    logits = network.attention(torch.cat([a, v], dim=1))
    for level, sound, maps in zip(network.levels, heard, seen, strict=True):
        h = F.normalize(sound.values.mean(dim=1), dim=1)
        m = F.normalize(maps.values.mean(dim=1).flatten(1), dim=1)
        logits = logits + level(torch.cat([h, m], dim=1))
    w = torch.softmax(logits / 4, dim=1)
    expected = w[:, :1] * network.audio_projection(a) + w[:, 1:] * network.visual_projection(v)
    torch.testing.assert_close(fused[1:2], expected, rtol=1e-4, atol=1e-5)
    # With one modality the other has no say.
    gate = network.gate(batch)[0][:, 0]
    assert gate[2] == 0
    assert gate[3] == 1


@torch.no_grad()
def test_frame_wise_attention_weighs_each_frame_against_the_face_of_its_time() -> None:
    _, _, network = new_network("vut_video_frames", length=16, heads=4, faces=3)
    network.eval()
    batch = batch_of_five()
    fused = network.embed(batch)[0][0]
    _, heard, frames = network.voices_with(batch, network.states)
    place = network.nearest(batch, frames.shape[1])
    # Frames are 10 ms apart; faces at 0.1, 0.3 and 0.6 s: borders at 0.2 and 0.45 s.
    assert place[0, [0, 19, 21, 44, 46, 60]].tolist() == [0, 0, 1, 1, 2, 2]
    assert set(place[1].tolist()) == {0}
    # Row 0 by hand.
    layers = torch.stack(heard)[:, :1]
    looks = F.normalize(network.looks(batch)[:1], dim=-1)
    q = F.normalize(torch.einsum("lbtc,l->btc", layers, network.layer_weights.softmax(0)), dim=-1)
    f = looks[:, place[0]]
    alpha, beta = torch.softmax(network.quality(torch.cat([q, f], dim=-1)), dim=-1).unbind(-1)
    pooling = network.pooling
    keys = pooling.cmp_linear_k(torch.einsum("lbtc,l->btc", layers, pooling.weights_k.softmax(0)))
    values = pooling.cmp_linear_v(torch.einsum("lbtc,l->btc", layers, pooling.weights_v.softmax(0)))
    attention = pooling.att_head(keys).softmax(dim=1)
    pooled = torch.einsum("bth,btd->bhd", attention, values * alpha[..., None]).flatten(1)
    a = F.normalize(pooling.pooling_fc(pooled), dim=1)
    v = F.normalize((beta[..., None] * network.frame_projection(f)).mean(dim=1), dim=1)
    expected = network.audio_projection(a) + network.visual_projection(v)
    torch.testing.assert_close(fused[:1], expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_without_a_face_the_voice_is_pooled_with_all_its_weight() -> None:
    _, _, network = new_network("vut_video_frames", length=16, heads=4, faces=3)
    network.eval()
    batch = batch_of_five()
    _, heard, frames = network.voices_with(batch, network.states)
    looks = F.normalize(network.looks(batch), dim=-1)
    alpha, beta, _ = network.weights(torch.stack(heard), frames, looks, batch)
    assert (alpha[3] == 1).all()
    assert (beta[3] == 0).all()
    assert ((alpha + beta)[0] - 1).abs().max() < 1e-6


def test_learning_rates_rise_by_layer() -> None:
    blocks = nn.Module()
    blocks.model = nn.Module()
    blocks.model.feature_extractor = nn.Linear(2, 2)
    blocks.model.encoder = nn.Module()
    blocks.model.encoder.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(12))
    blocks.backend = nn.Linear(2, 2)
    groups = layer_rates(blocks, AUDIO_RISE)
    rates = [round(rate * HEAD_RATE, 9) for _, rate in groups]
    assert rates[1:13] == [round(1e-5 * 1.45 ** (k + 1), 9) for k in range(12)]
    assert rates[13] == 1e-3
    assert rates[0] == round(1e-5 * 1.45, 9)  # what is no block


def test_other_encoders_give_three_even_states_and_wrong_ones_are_told() -> None:
    own = settings_of("vut_lower")
    assert isinstance(own, VutLowerSettings)
    audio, visual = own.states()
    assert len(set(audio)) == len(set(visual)) == 3
    frames = settings_of("vut_video_frames")
    assert isinstance(frames, VutFramesSettings)
    assert frames.states() == ["stem", "layer1", "layer2", "layer3"]  # of one width; the fifth is wider
    with pytest.raises(ConfigError, match=r"vut_lower: .*no inner state 'layer9'; expected some of stem"):
        settings_of("vut_lower", audio_states=["stem", "layer1", "layer9"])
    with pytest.raises(ConfigError, match="audio_states are 1; expected 3"):
        settings_of("vut_lower", audio_states=["stem"])


def test_an_encoder_that_cannot_be_trained_or_has_other_weights_is_refused() -> None:
    with pytest.raises(ConfigError, match="vut_lower: visual_arch is 'onnx', which no joint model can be made of"):
        parse_config({"visual": {"arch": "onnx"}, "fusion": {"models": ["vut_lower"]}})
    model = {"name": "avn_j", "visual_arch": "iresnet18"}
    with pytest.raises(ConfigError, match="visual_weights is 'same', those of the embedding stage, which are of 'onn"):
        parse_config({"visual": {"arch": "onnx"}, "fusion": {"models": [model]}})


def test_signals_are_needed() -> None:
    damage = {"level": "embedding", "conditions": ["vut"]}
    with pytest.raises(ConfigError, match=r"avn_j, a model of signals, and evaluation\.damage\.level is 'embedding'"):
        parse_config({"fusion": {"models": [{"name": "avn_j", **SMALL}]}, "evaluation": {"damage": damage}})
    given = {"audio": "a.npz", "visual": "v.npz", "train_list": "l.txt"}
    with pytest.raises(ConfigError, match=r"avn_j, which is trained on signals, and source\.kind embeddings has"):
        parse_config({"fusion": {"models": ["avn_j"]}, "source": {"kind": "embeddings", "embeddings": given}})
