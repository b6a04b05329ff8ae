import numpy as np
import pytest
import torch
import torch.nn.functional as F

from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.registry import MODELS
from avsieve.fusion.stream_batch import StreamBatch

from .made_up import both, make_people, new_model

HEADS = ["mlp", "vut_soft", "vut_gated"]
PEOPLE, SPEAKERS = make_people("p", 4)
LABELS = np.repeat(np.arange(4), 9)
CPU = torch.device("cpu")


def count(name, **own):
    return sum(p.numel() for p in new_model(name, 256, 512, dim=9, **own).network.parameters())


def test_the_heads_have_the_published_number_of_parameters():
    assert count("vut_soft") == 395_778  # 0.396 million
    assert count("vut_gated") == 435_808  # 0.436 million
    first = {hidden: (768 + 1) * hidden + 2 * hidden + (hidden + 1) * 512 for hidden in (768, 1024)}
    rest = 2 * 512 + 513 * 512
    assert count("mlp") == first[768] + rest  # as in the code
    assert count("mlp", hidden=1024) == first[1024] + rest  # as in the text


def test_the_length_is_that_of_the_paper_or_of_all_models():
    assert new_model("vut_soft", 24, 16, dim=9).network.dim == 512
    assert new_model("vut_soft", 24, 16, dim=9, length=None).network.dim == 9


def rows_of(inputs, rows=slice(None)):
    return StreamBatch.of(inputs.audio, rows, CPU), StreamBatch.of(inputs.visual, rows, CPU)


def made(name, **own):
    torch.manual_seed(3)
    network = new_model(name, 24, 16, length=10, **own).network
    network.start(PEOPLE, LABELS)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            torch.nn.init.normal_(module.weight)
            torch.nn.init.normal_(module.bias)
    return network.eval()


def normalised(norm, x):
    """Batch normalisation by the running statistics, written out."""
    return (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def formula(name, network, a, v):
    both = torch.cat([a, v], dim=1)
    if name == "mlp":
        first, first_norm, _, second, second_norm, _, third = network.layers
        return third(normalised(second_norm, second(normalised(first_norm, first(both)).relu())).relu())
    voice, face = network.audio_projection(a), network.visual_projection(v)
    if name == "vut_soft":
        w = network.attention(both).exp()
        return (w[:, :1] * voice + w[:, 1:] * face) / w.sum(dim=1, keepdim=True)
    hidden = normalised(network.gate_norm, network.gate_in(both)).relu()
    z = 1 / (1 + (-network.gate_out(hidden)).exp())
    return z * voice.tanh() + (1 - z) * face.tanh()


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_its_formula_of_unit_vectors_in_scoring(name):
    network = made(name)
    with torch.no_grad():
        found = network(*rows_of(PEOPLE))
        a, v = (F.normalize(torch.from_numpy(stream.pooled)) for stream in (PEOPLE.audio, PEOPLE.visual))
        torch.testing.assert_close(found, formula(name, network, a, v))


@pytest.mark.parametrize("name", HEADS)
def test_weights_are_drawn_and_nothing_is_learned_of_the_data_before_training(name):
    network = made(name)
    assert not network.audio_standard.mean.any()
    assert not network.visual_standard.mean.any()
    others = new_model(name, 24, 16, length=10).network
    torch.manual_seed(3)
    _ = new_model(name, 24, 16, length=10)  # draws as `made` does
    others.start(PEOPLE, LABELS)
    matrices = [[p for p in net.parameters() if p.dim() > 1] for net in (network, others)]
    for p, q in zip(*matrices, strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=0)


@pytest.mark.parametrize("name", HEADS)
def test_a_missing_face_leaves_what_the_voice_says(name):
    network = made(name)
    one = Inputs(PEOPLE.utterances, PEOPLE.audio, PEOPLE.visual.without(np.ones(len(PEOPLE), dtype=bool)))
    with torch.no_grad():
        found = network(*rows_of(one))
        a = F.normalize(torch.from_numpy(PEOPLE.audio.pooled))
        if name == "mlp":
            expected = formula(name, network, a, torch.zeros(len(a), 16))
        else:
            voice = network.audio_projection(a)
            expected = voice if name == "vut_soft" else voice.tanh()
        torch.testing.assert_close(found, expected)


def test_the_gated_head_differs_from_gated_in_its_start_only():
    assert MODELS["vut_gated"].settings().hidden == MODELS["gated"].settings().hidden == 32
    ours, theirs = (new_model(name, 24, 16, dim=512).network for name in ("gated", "vut_gated"))
    theirs.load_state_dict(ours.state_dict())
    everywhere = torch.ones(7, dtype=torch.bool)
    inputs = torch.randn(7, 24), torch.randn(7, 16), everywhere, everywhere
    with torch.no_grad():
        torch.testing.assert_close(ours.eval().fuse(*both(*inputs)), theirs.eval().fuse(*both(*inputs)))


def test_the_length_of_an_embedding_does_not_matter():
    network = made("vut_soft")
    longer = Inputs(
        PEOPLE.utterances, Stream(5 * PEOPLE.audio.pooled, PEOPLE.audio.present), PEOPLE.visual
    )  # fmt: skip
    with torch.no_grad():
        torch.testing.assert_close(network(*rows_of(longer)), network(*rows_of(PEOPLE)))
