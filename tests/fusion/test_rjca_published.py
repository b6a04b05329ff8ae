"""RJCA at published weights: files as its trainer writes them, against a network built here from its formulas."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from avsieve.doctor.fusion import check_fusion
from avsieve.errors import ModelError
from avsieve.fusion.settings import Fusion
from avsieve.fusion.training import train_fusion
from avsieve.settings import filled
from avsieve.storage.sequence_names import EIGHTHS, FRAMES

from .made_up import make_people, make_sequences, new_model

A, V, D, PARTS = 24, 16, 20, 8
CPU = torch.device("cpu")


def people(faces=(8, 8)):
    """Return people with eight parts of each voice and so many faces."""
    inputs, speakers = make_people("id", 5, seed=1, dims=(A, V))
    sequences = make_sequences(inputs.visual.pooled, faces, np.random.default_rng(2))
    inputs.visual.sequences[FRAMES] = sequences
    return inputs, speakers


INPUTS, SPEAKERS = people()


class Recurrent(nn.Module):
    """A BLSTM whose input goes past it, with the names of the source."""

    def __init__(self, dim):
        super().__init__()
        self.linear = nn.Linear(2 * dim, dim)
        self.rnn = nn.LSTM(dim, dim // 2, 2, bidirectional=True, batch_first=True)
        self.init_hidden = nn.Parameter(torch.randn(8, dim // 2))

    def forward(self, x):
        h, c = (half[:, None].repeat(1, len(x), 1) for half in self.init_hidden.split(4))
        return F.normalize(self.linear(torch.cat([x, self.rnn(x, (h, c))[0]], dim=-1)), dim=-1)


class Attention(nn.Module):
    """One block of joint cross-attention, with the names of the source: 1 is the face, 2 the voice."""

    def __init__(self):
        super().__init__()
        self.dense_coattn = nn.ModuleDict(
            {
                "query_linear": nn.Linear(A + V, A + V),
                "key1_linear": nn.Linear(PARTS, PARTS),
                "key2_linear": nn.Linear(PARTS, PARTS),
                "value1_linear": nn.Linear(V, V),
                "value2_linear": nn.Linear(A, A),
            }
        )
        self.linears = nn.ModuleList([nn.Sequential(nn.Linear(A + V, dim), nn.ReLU()) for dim in (V, A)])

    def forward(self, face, voice):
        layers = self.dense_coattn
        joint = layers["query_linear"](torch.cat([face, voice], dim=2))
        out = []
        for number, x in enumerate((face, voice)):
            keys = layers[f"key{number + 1}_linear"](x.mT)
            correlation = torch.tanh(torch.einsum("bdt,bte->bde", keys, joint) / math.sqrt(A + V))
            values = layers[f"value{number + 1}_linear"](x)
            attended = torch.tanh(torch.einsum("btd,bde->bte", values, correlation)).relu()
            out.append(x + self.linears[number](attended))
        return out


class Reference(nn.Module):
    """The published network, whose state dict has the names of the source, with what it builds and does not use."""

    def __init__(self, depth=2):
        super().__init__()
        self.JCA_model = nn.Module()
        self.JCA_model.coattn = nn.Module()
        self.JCA_model.coattn.dcn_layers = nn.ModuleList([Attention() for _ in range(depth)])
        self.JCA_model.audio_extract, self.JCA_model.video_extract = Recurrent(A), Recurrent(V)
        self.JCA_model.video_attn = nn.ModuleDict({"attn": nn.Linear(49, 1, bias=False)})
        self.JCA_model.Joint = Recurrent(A + V)
        self.JCA_model.predict = nn.ModuleDict({"Joint": Recurrent(A + V), "predict": nn.Linear(V, 1150)})
        self.asp = nn.Module()
        self.asp.attention = nn.Sequential(
            nn.Conv1d(A + V, 256, 1), nn.ReLU(), nn.BatchNorm1d(256), nn.Tanh(), nn.Conv1d(256, A + V, 1), nn.Softmax(2)
        )
        self.linear = nn.Linear(2 * (A + V), D)

    def forward(self, voice, face):
        jca = self.JCA_model
        voice, face = jca.audio_extract(F.normalize(voice, dim=2)), jca.video_extract(F.normalize(face, dim=2))
        for block in jca.coattn.dcn_layers:
            face, voice = block(face, voice)
        both = jca.Joint(torch.cat([face, voice], dim=2)).mT
        weights = self.asp.attention(both)
        mean = (both * weights).sum(dim=2)
        variance = (both.square() * weights).sum(dim=2) - mean.square()
        return self.linear(torch.cat([mean, variance.clamp(min=1e-4).sqrt()], dim=1))


def published(depth=2):
    """Return a network as it is after a training."""
    torch.manual_seed(7)
    network = Reference(depth)
    norm = network.asp.attention[2]
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    norm.num_batches_tracked.fill_(1200)
    return network.eval()


def stored(network):
    """Return the dictionary that the source's trainer saves."""
    return {"net": network.state_dict(), "EER": np.float64(1.975), "minDCF": np.float64(0.116), "epoch": 41}


def surplus(network):
    """Return one with what other trainers put beside: the optimiser's state, a loss that is a tensor, an array."""
    optimiser = torch.optim.Adam(network.parameters())
    optimiser.step(lambda: network(*items(INPUTS)).square().sum().backward())
    more = {"optimizer": optimiser.state_dict(), "loss": torch.tensor(3.5), "scores": np.arange(3.0)}
    return more | stored(network) | {"best": np.float32(1.9)}


def items(inputs, rows=slice(None)):
    """Return the parts and faces (B, 8, D) of utterances that have them all."""
    rows = np.arange(len(inputs))[rows]
    sequences = (inputs.audio.sequences[EIGHTHS], inputs.visual.sequences[FRAMES])
    return [torch.from_numpy(own.read(rows).vectors) for own in sequences]


def begun(path, inputs=INPUTS, speakers=SPEAKERS, **own):
    model = new_model("rjca", A, V, weights=str(path), **{"length": D, **own})
    return model, train_fusion(model, inputs, speakers, Fusion(), seed=0, device=CPU)


FORMS = {
    "as published": stored,
    "with more beside": surplus,
    "parallel": lambda network: {"net": {f"module.{k}": v for k, v in network.state_dict().items()}},
    "state dict": lambda network: network.state_dict(),
}


@pytest.mark.parametrize("form", [*FORMS, "safetensors", "older layout"])
def test_untrained_its_outputs_are_those_of_the_published_network(tmp_path, form):
    network = published()
    path = tmp_path / "model_0041.model"
    if form == "safetensors":
        path = tmp_path / "a.safetensors"
        save_file(network.state_dict(), path)
    else:
        made = FORMS.get(form, stored)(network)
        torch.save(made, path, _use_new_zipfile_serialization=form != "older layout")
    network.requires_grad_(requires_grad=False).eval()
    expected = F.normalize(network(*items(INPUTS))).numpy()
    model, history = begun(path, train=False)
    assert history == []
    np.testing.assert_allclose(model.encode(INPUTS)[0].vectors, expected, atol=1e-5)
    assert np.abs(expected - expected.mean(axis=0)).max() > 0.01  # they tell utterances apart
    if form == "as published":
        assert model.begun_at["stored"] == {"EER": 1.975, "minDCF": 0.116, "epoch": 41}
    if form == "with more beside":
        assert model.begun_at["stored"].keys() == {"EER", "minDCF", "epoch", "best"}


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_weights_of_another_depth_fit_a_model_of_that_depth_alone(tmp_path, depth):
    network = published(depth)
    torch.save(stored(network), tmp_path / "a.model")
    model, _ = begun(tmp_path / "a.model", train=False, depth=depth)
    with torch.no_grad():
        np.testing.assert_allclose(
            model.encode(INPUTS)[0].vectors, F.normalize(network(*items(INPUTS))).numpy(), atol=1e-5
        )
    wrong = "lacks" if depth < 2 else "has beside them"
    name = f"JCA_model.coattn.dcn_layers.{min(depth, 2) if depth > 1 else 1}.dense_coattn.query_linear.weight"
    message = f"it {wrong} {name}, "
    with pytest.raises(ModelError, match=re.escape(message)) as raised:
        begun(tmp_path / "a.model", train=False)
    assert str(raised.value).endswith(
        "name the model that they are of, and set its length, parts, depth and blstm as there"
    )


def test_an_utterance_with_fewer_faces_is_scored_by_those_that_there_are(tmp_path):
    torch.save(stored(published()), tmp_path / "a.model")
    inputs, speakers = people((3, 8))
    model, _ = begun(tmp_path / "a.model", inputs, speakers, train=False)
    found = model.encode(inputs)[0]
    full = inputs.visual.sequences[FRAMES].counts == PARTS
    assert 0 < full.sum() < len(full)
    with torch.no_grad():
        expected = F.normalize(published()(*items(inputs, full)))
    np.testing.assert_allclose(found.vectors[full], expected.numpy(), atol=1e-5)
    assert found.present.all()


def test_training_goes_on_from_the_published_weights(tmp_path):
    torch.save(stored(published()), tmp_path / "a.model")
    still, _ = begun(tmp_path / "a.model", train=False)
    quick = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-6, "weight_decay": 0.0}
    model, history = begun(tmp_path / "a.model", **quick)
    assert len(history) == 2
    assert model.begun_at["classifier"] == "the file has no classifier"
    before = dict(still.network.named_parameters())
    moved = {name: float((p - before[name]).detach().abs().max()) for name, p in model.network.named_parameters()}
    assert max(moved.values()) < 1e-4
    assert moved["linear.weight"] > 0
    assert moved["blocks.0.joint.weight"] > 0
    assert int(model.network.pooling.norm.norm.num_batches_tracked) > 1200


def changed(change):
    """Return a published file's dictionary after ``change`` of its weights."""
    made = stored(published())
    change(made["net"])
    return made


@pytest.mark.parametrize(
    ("own", "change", "message"),
    [
        (
            {"length": 12},
            lambda net: None,
            (
                "linear.weight has the shape (20, 80), expected (12, 80) for embeddings of 24 (audio) and 16 (visual) "
                "and a fused length of 12; embed with the encoders that the weights were trained on, and set length, "
                "parts, depth and blstm of rjca as there"
            ),
        ),
        (
            {"parts": 4},
            lambda net: None,
            "JCA_model.coattn.dcn_layers.0.dense_coattn.key1_linear.weight has the shape (8, 8), expected (4, 4) for ",
        ),
        (
            {},
            lambda net: net.pop("JCA_model.Joint.init_hidden"),
            "not the weights of rjca (a state dict of 117 tensors): it lacks JCA_model.Joint.init_hidden; name the ",
        ),
        (
            {},
            lambda net: net.update({"JCA_model.encoder1.weight": torch.zeros(2, 2), "fc.bias": torch.zeros(2)}),
            "it has beside them JCA_model.encoder1.weight, fc.bias; name the model that they are of",
        ),
        (
            {"blstm": False},
            lambda net: None,
            "it has beside them JCA_model.audio_extract.init_hidden, JCA_model.audio_extract.linear.weight, ",
        ),
    ],
)
def test_what_does_not_fit_is_named_as_the_file_names_it(tmp_path, own, change, message):
    torch.save(changed(change), tmp_path / "a.model")
    with pytest.raises(ModelError, match=re.escape(message)):
        begun(tmp_path / "a.model", train=False, **own)


def test_embeddings_of_other_lengths_are_told(tmp_path):
    torch.save(stored(published()), tmp_path / "a.model")
    inputs, speakers = make_people("id", 5, seed=1, dims=(A, 12))
    model = new_model("rjca", A, 12, weights=str(tmp_path / "a.model"), length=D, train=False)
    message = re.escape("expected (36, 36) for embeddings of 24 (audio) and 12 (visual)")
    with pytest.raises(ModelError, match=message):
        train_fusion(model, inputs, speakers, Fusion(), seed=0, device=CPU)


def test_a_file_that_wants_something_run_is_refused_and_nothing_runs(tmp_path):
    class Runs:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    torch.save(stored(published()) | {"EER": Runs()}, tmp_path / "a.model")
    with pytest.raises(ModelError, match=r"a\.model: the pickle calls .*open, which was not run"):
        begun(tmp_path / "a.model", train=False)
    assert not (tmp_path / "ran").exists()


def test_the_configuration_names_the_file_and_the_doctor_reads_it(tmp_path):
    torch.save(stored(published()), tmp_path / "a.model")
    entry = {"name": "rjca", "weights": str(tmp_path / "a.model"), "train": False}
    fusion = filled(Fusion, {"models": [entry]}, "fusion")
    own = fusion.own("rjca")
    assert (own.weights, own.train) == (str(tmp_path / "a.model"), False)
    (finding,) = check_fusion(SimpleNamespace(fusion=fusion))
    assert (finding.level, finding.text) == ("ok", f"{tmp_path / 'a.model'}: 118 tensors")
