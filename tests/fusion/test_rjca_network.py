import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from avsieve.errors import ConfigError, ModelError
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.registry import MODELS
from avsieve.fusion.sequences import HeldSequences
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.settings import filled
from avsieve.storage.sequence_names import EIGHTHS, FRAMES

from .made_up import make_people, make_sequences, new_model

A, V = 6, 4
PARTS = 5


def sizes(network):
    found = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    return {name: count for name, count in found.items() if count}


def test_it_has_the_published_number_of_parameters():
    network = new_model("rjca", 192, 512).network
    assert sizes(network) == {
        "audio_blstm": 520_128,  # 0.52 million
        "visual_blstm": 3_680_768,  # 3.68
        "blocks": 2_584_992,  # 2.58
        "joint_blstm": 6_953_408,  # 6.95
        "pooling": 361_920,  # 0.36
        "linear": 721_408,  # 0.72
    }
    assert sum(p.numel() for p in network.parameters()) == 14_822_624
    shallow = new_model("rjca", 192, 512, depth=1, blstm=False).network
    assert sizes(shallow)["blocks"] == 1_292_496  # blocks share no weights
    assert not {"audio_blstm", "visual_blstm"} & sizes(shallow).keys()


def made(**own):
    torch.manual_seed(3)
    network = new_model("rjca", A, V, **{"length": 7, "parts": PARTS, **own}).network
    network.draw()
    for parameter in network.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, std=0.3)
    norm = network.pooling.norm.norm
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    return network.eval()


def batch(audio_counts, visual_counts, seed=0):
    """Return unit vectors, zero where absent."""
    generator = torch.Generator().manual_seed(seed)
    out = []
    for dim, counts in ((A, audio_counts), (V, visual_counts)):
        count = torch.tensor(counts)
        mask = torch.arange(PARTS)[None] < count[:, None]
        items = F.normalize(torch.randn(len(counts), PARTS, dim, generator=generator), dim=2) * mask[..., None]
        out.append(StreamBatch(F.normalize(items.sum(dim=1)), count > 0, items, mask))
    return out


def lstm(layer, x):
    """A BLSTM of one sequence (T, D), nothing packed."""
    states = layer.init_hidden[:, None]
    passed = layer.rnn(x[None], (states[:4].contiguous(), states[4:].contiguous()))[0][0]
    return F.normalize(layer.linear(torch.cat([x, passed], dim=1)), dim=1)


def block_formula(block, x, y):
    """Joint cross-attention of faces ``x`` (n, V) and voices ``y`` (m, A) by its formula, of what exists alone."""
    t = max(len(x), len(y))
    joint = torch.zeros(t, A + V)
    joint[: len(x), :V], joint[: len(y), V:] = x, y
    joint = joint @ block.joint.weight.T + block.joint.bias
    out = []
    for rows, key, value, last in (
        (x, block.visual_key, block.visual_value, block.visual_out),
        (y, block.audio_key, block.audio_value, block.audio_out),
    ):
        n = len(rows)
        keys = rows.T @ key.weight[:n, :n].T + key.bias[:n]  # (D, n)
        correlation = torch.tanh(keys @ joint[:n] / math.sqrt(A + V))  # (D, A + V)
        attended = torch.tanh((rows @ value.weight.T + value.bias) @ correlation).relu()
        out.append(rows + (attended @ last.weight.T + last.bias).relu())
    return out


def pool(layer, x):
    normal = layer.norm.norm
    hidden = (x @ layer.first.weight[..., 0].T + layer.first.bias).relu()
    hidden = (hidden - normal.running_mean) / (normal.running_var + normal.eps).sqrt() * normal.weight + normal.bias
    scores = hidden.tanh() @ layer.second.weight[..., 0].T + layer.second.bias
    weights = scores.exp() / scores.exp().sum(dim=0)
    mean = (weights * x).sum(dim=0)
    spread = ((weights * x**2).sum(dim=0) - mean**2).clamp(min=1e-4).sqrt()
    return torch.cat([mean, spread])


def formula(network, x, y):
    """RJCA of faces ``x`` and voices ``y`` that exist, with neither padding nor a mask."""
    if network.visual_blstm is not None:
        x = lstm(network.visual_blstm, x) if len(x) else x
        y = lstm(network.audio_blstm, y) if len(y) else y
    for block in network.blocks:
        x, y = block_formula(block, x, y)
    both = torch.zeros(max(len(x), len(y)), A + V)
    both[: len(x), :V], both[: len(y), V:] = x, y
    return network.linear(pool(network.pooling, lstm(network.joint_blstm, both)))


@pytest.mark.parametrize("own", [{}, {"blstm": False, "depth": 1}, {"depth": 3}])
def test_it_is_its_formula_of_what_exists_whatever_is_missing(own):
    network = made(**own)
    audio, visual = batch([5, 3, 2, 5, 0, 4], [5, 3, 5, 1, 5, 0])
    with torch.no_grad():
        found = network.fuse(audio, visual)
        for i in range(len(found)):
            expected = formula(network, visual.sequence[i][visual.mask[i]], audio.sequence[i][audio.mask[i]])
            torch.testing.assert_close(found[i], expected)


def test_what_lies_in_the_padding_changes_nothing():
    network = made()
    audio, visual = batch([5, 3, 2, 0], [1, 3, 4, 5])
    spoiled = [replace(b, sequence=torch.where(b.mask[..., None], b.sequence, 9.0)) for b in (audio, visual)]
    with torch.no_grad():
        torch.testing.assert_close(network(*spoiled), network(audio, visual), rtol=0, atol=0)


def test_the_rest_of_a_batch_changes_nothing_in_scoring():
    network = made()
    audio, visual = batch([5, 3, 2, 0], [1, 3, 4, 5])
    with torch.no_grad():
        together = network(audio, visual)
        for i in range(4):
            alone = network(*(StreamBatch(*(x[[i]] for x in (b.pooled, b.present, b.sequence, b.mask)))
                              for b in (audio, visual)))  # fmt: skip
            torch.testing.assert_close(alone[0], together[i])


def test_nothing_missing_counts_in_the_statistics_of_the_pooling():
    network = made().train()
    norm = network.pooling.norm.norm
    norm.reset_running_stats()
    seen = []
    network.pooling.first.register_forward_hook(lambda layer, given, out: seen.append(out.relu()))
    audio, visual = batch([5, 3, 0], [2, 3, 4])
    network.fuse(audio, visual)
    (hidden,) = seen
    existing = torch.cat([hidden[0, :, :5].T, hidden[1, :, :3].T, hidden[2, :, :4].T])
    torch.testing.assert_close(norm.running_mean, 0.1 * existing.mean(dim=0))
    assert int(norm.num_batches_tracked) == 1


def test_a_missing_modality_leaves_what_the_other_one_says():
    network = made()
    audio, visual = batch([5, 5, 5], [5, 5, 5])
    _, other = batch([5, 5, 5], [5, 5, 5], seed=1)
    gone = torch.ones(3, dtype=torch.bool)
    with torch.no_grad():
        found = network(audio, visual.drop(gone))
        torch.testing.assert_close(found, network(audio, other.drop(gone)), rtol=0, atol=0)
        assert (found[0] != found[1]).any()
        assert (network(audio, visual) != network(audio, other)).any()
        nothing = network(audio.drop(gone), visual.drop(gone))
    assert torch.isfinite(nothing).all()


def test_the_order_of_time_matters():
    network = made()
    audio, visual = batch([5], [5])
    shuffled = replace(audio, sequence=audio.sequence[:, [3, 0, 4, 1, 2]])
    with torch.no_grad():
        assert (network(shuffled, visual) - network(audio, visual)).abs().max() > 1e-3


def test_items_come_in_the_order_of_time_and_in_scoring_always_the_same():
    people, _ = make_people("p", 3)
    network = new_model("rjca", 24, 16, length=8).network
    rows = np.arange(len(people))
    for rng in (None, np.random.default_rng(0)):
        for stream in network.batch(people, rows, rows, rng):
            assert (stream.start_s.diff(dim=1)[stream.mask[:, 1:]] > 0).all()
    drawn = [network.batch(people, rows, rows, np.random.default_rng(seed))[1].sequence for seed in (0, 1)]
    assert (drawn[0] != drawn[1]).any()
    np.testing.assert_array_equal(network.encode(people)[0].vectors, network.encode(people)[0].vectors)


@pytest.mark.parametrize("own", [{}, {"depth": 5}])
def test_all_that_is_built_learns_from_the_loss(own):
    network = made(dropout=0.0, **own).train()
    out = network.fuse(*batch([5] * 8 + [3], [5] * 8 + [4]))
    (out * torch.randn(9, 7)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_dropout_acts_in_training_only():
    network, rows = made(), batch([5, 3], [5, 4])
    with torch.no_grad():
        torch.testing.assert_close(network(*rows), network(*rows), rtol=0, atol=0)
        network.train()
        assert (network(*rows) != network(*rows)).any()


def test_a_row_without_any_item_has_its_embedding_as_the_only_one():
    people, _ = make_people("p", 2)
    rng = np.random.default_rng(0)
    eighths = make_sequences(people.audio.pooled, (8, 8), rng)
    audio = Stream(people.audio.pooled, people.audio.present, {EIGHTHS: eighths.without(np.arange(len(people)) == 4)})
    alone = HeldSequences(people.audio.pooled[:, None], np.ones((len(people), 1), bool))
    own = Stream(people.audio.pooled, people.audio.present, {EIGHTHS: alone})
    network = new_model("rjca", 24, 16, length=8).network
    found, expected = (
        network.encode(Inputs(people.utterances, stream, people.visual))[0].vectors[4] for stream in (audio, own)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_inputs_without_its_sequences_are_refused():
    people, _ = make_people("p", 2)
    network = new_model("rjca", 24, 16, length=8).network
    voices = {name: own for name, own in people.audio.sequences.items() if name != EIGHTHS}
    audio = Stream(people.audio.pooled, people.audio.present, voices)
    with pytest.raises(ModelError, match="rjca reads the sequence eighths of audio, found hops, centre"):
        network.encode(Inputs(people.utterances, audio, people.visual))
    visual = Stream(people.visual.pooled, people.visual.present)
    with pytest.raises(ModelError, match=f"rjca reads the sequence {FRAMES} of visual, found none"):
        network.encode(Inputs(people.utterances, people.audio, visual))


@pytest.mark.parametrize(("key", "value"), [("parts", 9), ("depth", 6), ("depth", 0)])
def test_more_parts_or_blocks_than_there_may_be_are_refused(key, value):
    with pytest.raises(ConfigError, match=f"rjca: {key} {value}; expected a whole number, at least 1 and at most"):
        filled(MODELS["rjca"].settings, {key: value}, "rjca")


@pytest.mark.parametrize("depth", [2, 5])
def test_each_tensor_has_one_name_in_the_published_checkpoint(depth):
    network = new_model("rjca", A, V, depth=depth).network
    ours = set(network.state_dict()) - {"audio_standard.mean", "visual_standard.mean"}
    theirs = {network.published.source(name) for name in ours}
    assert {target for name in theirs for target in network.published.targets(name)} == ours
    assert len(theirs) == len(ours)


def test_the_published_names_are_those_of_the_source():
    network = new_model("rjca", 192, 512).network
    shapes = {name: tuple(x.shape) for name, x in network.state_dict().items()}
    for theirs, ours, shape in (
        ("JCA_model.coattn.dcn_layers.1.dense_coattn.key1_linear.weight", "blocks.1.visual_key.weight", (8, 8)),
        ("JCA_model.coattn.dcn_layers.0.linears.0.0.weight", "blocks.0.visual_out.weight", (512, 704)),
        ("JCA_model.coattn.dcn_layers.0.linears.1.0.bias", "blocks.0.audio_out.bias", (192,)),
        ("JCA_model.video_extract.rnn.weight_hh_l1_reverse", "visual_blstm.rnn.weight_hh_l1_reverse", (1024, 256)),
        ("JCA_model.audio_extract.linear.weight", "audio_blstm.linear.weight", (192, 384)),
        ("JCA_model.Joint.init_hidden", "joint_blstm.init_hidden", (8, 352)),
        ("asp.attention.0.weight", "pooling.first.weight", (256, 704, 1)),
        ("asp.attention.2.running_var", "pooling.norm.norm.running_var", (256,)),
        ("linear.weight", "linear.weight", (512, 1408)),
    ):
        assert network.published.targets(theirs) == [ours]
        assert shapes[ours] == shape
    assert network.published.passes_over("JCA_model.predict.Joint.init_hidden")
    assert network.published.targets("JCA_model.predict.Joint.init_hidden") == []
