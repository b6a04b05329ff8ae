import pytest
import torch
from torch import nn

from avsieve.fusion.stream_batch import StreamBatch

from .made_up import new_model

WEIGHTED = ["baffn_gated", "baffn_attention"]
HEADS = [*WEIGHTED, "baffn_concat"]
ROWS = 40
YES = torch.ones(ROWS, dtype=torch.bool)


def made(name, **own):
    """Return a network whose voices, and fused embeddings, are of one length, so that they could share a layer."""
    torch.manual_seed(3)
    network = new_model(name, 12, 8, **{"length": 12, **own}).network
    network.draw()
    return network


def batch(seed=0, audio_present=YES, visual_present=YES):
    """Return unit vectors, zero where absent, as `fuse` takes them."""
    generator = torch.Generator().manual_seed(seed)
    audio, visual = (
        nn.functional.normalize(torch.randn(ROWS, d, generator=generator) + 0.3) * there[:, None]
        for d, there in ((12, audio_present), (8, visual_present))
    )
    return StreamBatch(audio, audio_present), StreamBatch(visual, visual_present)


def count(name, kind=nn.Module):
    network = new_model(name, 1024, 512).network
    if kind is nn.Module:
        return sum(p.numel() for p in network.parameters())
    return sum(p.numel() for module in network.modules() if isinstance(module, kind) for p in module.parameters())


def test_the_heads_have_the_published_number_of_parameters():
    assert count("baffn_gated", nn.Linear) == 3_148_800  # 3.149 million
    assert count("baffn_attention", nn.Linear) == 1_577_986
    for name in WEIGHTED:
        assert count(name) == count(name, nn.Linear) + 2 * (1024 + 512 + 1536 + 1024)
    assert count("baffn_concat") == count("baffn_concat", nn.Linear) == 5_245_952


def normalised(norm, x):
    return (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_its_formula_in_scoring_with_batch_normalisation_by_running_statistics(name):
    network = made(name).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(module.weight)
    streams = batch()
    audio, visual = (stream.pooled for stream in streams)
    both = torch.cat([audio, visual], dim=1)
    with torch.no_grad():
        found = network.fuse(*streams)
        if name == "baffn_concat":
            expected = network.layers[3](network.layers[0](both).relu()).relu()
        else:
            voice = network.audio_projection(normalised(network.audio_norm.norm, audio))
            face = network.visual_projection(normalised(network.visual_norm.norm, visual))
            score = network.score(normalised(network.joint_norm.norm, both))
            if name == "baffn_gated":
                z = 1 / (1 + (-score).exp())
                fused = z * voice.tanh() + (1 - z) * face.tanh()
            else:
                fused = (score[:, :1].exp() * voice + score[:, 1:].exp() * face) / score.exp().sum(1, keepdim=True)
            expected = normalised(network.fused_norm, fused)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", WEIGHTED)
def test_scoring_sees_the_spread_that_training_saw(name):
    # Skipped in scoring, the normalisation would leave unit vectors, and the gate at a constant.
    network = made(name)
    with torch.no_grad():
        for seed in range(200):
            training = network.gate(*batch(seed))
        scoring = network.eval().gate(*batch(199))
    assert scoring.std(dim=0).mean() > 0.7 * training.std(dim=0).mean() > 0.05


@pytest.mark.parametrize("name", WEIGHTED)
def test_no_batch_normalisation_serves_two_inputs(name):
    network = made(name)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d)]
    assert len(norms) == 4
    audio, visual = batch()
    network.fuse(audio, visual)
    # One update each, by what is its own: a second one would be seen.
    assert [int(norm.num_batches_tracked) for norm in norms] == [1, 1, 1, 1]
    torch.testing.assert_close(network.audio_norm.norm.running_mean, 0.1 * audio.pooled.mean(dim=0))
    torch.testing.assert_close(network.visual_norm.norm.running_mean, 0.1 * visual.pooled.mean(dim=0))
    torch.testing.assert_close(network.joint_norm.norm.running_mean[:12], 0.1 * audio.pooled.mean(dim=0))


@pytest.mark.parametrize("name", WEIGHTED)
def test_the_weights_learn_from_the_loss(name):
    network = made(name, dropout=0.0)
    (network.fuse(*batch()) * torch.randn(ROWS, 12)).sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
    assert network.score.weight.grad.abs().mean() > 1e-2
    assert network.joint_norm.norm.weight.grad.abs().mean() > 1e-2


@pytest.mark.parametrize("name", WEIGHTED)
def test_no_dropout_lies_on_the_gate(name):
    network = made(name).train()
    with torch.no_grad():
        first, again = network.gate(*batch()), network.gate(*batch())
        torch.testing.assert_close(first, again, rtol=0, atol=0)
        assert not (first == 0.5).any()
        assert (network.fuse(*batch()) != network.fuse(*batch())).any()  # it does lie on what is weighted


@pytest.mark.parametrize("name", HEADS)
def test_nothing_is_dropped_in_scoring(name):
    network = made(name).eval()
    with torch.no_grad():
        torch.testing.assert_close(network.fuse(*batch()), network.fuse(*batch()), rtol=0, atol=0)


@pytest.mark.parametrize("name", WEIGHTED)
def test_what_is_missing_takes_no_part_in_the_statistics(name):
    has_face = torch.arange(ROWS) % 4 != 0
    network = made(name)
    audio, visual = batch(visual_present=has_face)
    network.fuse(audio, visual)
    torch.testing.assert_close(network.audio_norm.norm.running_mean, 0.1 * audio.pooled.mean(dim=0))
    torch.testing.assert_close(network.visual_norm.norm.running_mean, 0.1 * visual.pooled[has_face].mean(dim=0))
    torch.testing.assert_close(network.joint_norm.norm.running_mean[:12], 0.1 * audio.pooled[has_face].mean(dim=0))


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("present", [0, 1])
def test_a_batch_with_hardly_any_face_can_be_trained_on(name, present):
    network = made(name)
    fused = network.fuse(*batch(visual_present=torch.arange(ROWS) < present))
    fused.sum().backward()
    assert torch.isfinite(fused).all()
    assert not network.visual_norm.norm.running_mean.any()
    assert torch.isfinite(network.audio_projection.weight.grad).all()


@pytest.mark.parametrize("name", HEADS)
def test_first_weights_are_xaviers(name):
    network = made(name)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            bound = (6 / (module.in_features + module.out_features)) ** 0.5
            assert 0.8 * bound < module.weight.abs().max() <= bound
            torch.testing.assert_close(module.bias, torch.full_like(module.bias, 1e-4))


def test_inputs_are_unit_vectors():
    network = made("baffn_gated").eval()
    assert not network.centred
    rows = StreamBatch(torch.randn(5, 12), torch.ones(5, dtype=torch.bool))
    torch.testing.assert_close(network.audio_standard(rows).pooled.norm(dim=1), torch.ones(5))
