"""Models that begin at published weights, in files as their authors wrote them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import ConfigError, ModelError
from avsieve.fusion.checkpoint import load_fusion
from avsieve.fusion.settings import Fusion
from avsieve.fusion.training import train_fusion, train_on_list
from avsieve.settings import filled
from avsieve.storage.provenance import sha256_of
from avsieve.storage.tables import write_table

from .made_up import make_people, new_model

A, V, D = 24, 16, 20
CPU = torch.device("cpu")
PEOPLE, SPEAKERS = make_people("id", 6, seed=1, dims=(A, V))
LABELS = np.unique(SPEAKERS, return_inverse=True)[1]


class Weighted(nn.Module):
    """A module with the attributes of the published gate and attention."""

    def __init__(self, scores, classes=6, audio=A):
        super().__init__()
        self.fc_a, self.fc_v = nn.Linear(audio, D), nn.Linear(V, D)
        setattr(self, "fc_att" if scores > 2 else "attention", nn.Linear(audio + V, scores))
        self.fc_out = nn.Linear(D, classes)
        # The published layer serves voices and fused embeddings, which are of one length there.
        self.bn_a, self.bn_v, self.bn_cat = nn.BatchNorm1d(D), nn.BatchNorm1d(V), nn.BatchNorm1d(audio + V)
        self.dropout, self.LogSoftmax = nn.Dropout(0.5), nn.LogSoftmax(dim=1)

    def at_test(self, x):
        """Return what the source scores by: batch normalisation is skipped."""
        a, v = self.fc_a(x[:, :-V]), self.fc_v(x[:, -V:])
        if hasattr(self, "fc_att"):
            z = torch.sigmoid(self.fc_att(x))
            return z * torch.tanh(a) + (1 - z) * torch.tanh(v)
        weights = torch.softmax(self.attention(x), dim=1)
        return weights[:, :1] * a + weights[:, 1:] * v


class Concat(nn.Module):
    """One with the attributes of the published concatenation."""

    def __init__(self, classes=6):
        super().__init__()
        self.fc1, self.fc2, self.fc_out = nn.Linear(D + V, 30), nn.Linear(30, D), nn.Linear(D, classes)
        self.dropout = nn.Dropout(0.7)

    def at_test(self, x):
        return F.relu(self.fc2(F.relu(self.fc1(x))))


# The shared layer of the source makes the voice and the fused embedding of one length.
INPUTS, _ = make_people("id", 6, seed=1, dims=(D, V))
MODULES = {
    "baffn_gated": lambda **own: Weighted(D, audio=D, **own),
    "baffn_attention": lambda **own: Weighted(2, audio=D, **own),
    "baffn_concat": Concat,
}
OWN = {"baffn_gated": {}, "baffn_attention": {}, "baffn_concat": {"hidden": 30}}


def published(name, **own):
    torch.manual_seed(5)
    module = MODULES[name](**own)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(part.weight)
    return module.eval()


def begun(name, path, inputs=INPUTS, speakers=SPEAKERS, **own):
    model = new_model(name, inputs.audio.dim, V, weights=str(path), **{"length": D, **OWN[name], **own})
    history = train_fusion(model, inputs, speakers, Fusion(), seed=0, device=CPU)
    return model, history


def joined(inputs=INPUTS):
    parts = [F.normalize(torch.from_numpy(s.pooled)) for s in (inputs.audio, inputs.visual)]
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("form", ["module", "parallel", "state", "net", "safetensors"])
@pytest.mark.parametrize("name", list(MODULES))
def test_untrained_it_scores_as_the_published_module_where_that_is_wanted(tmp_path, name, form):
    module = published(name)
    path = tmp_path / "BAFFN.model"
    if form == "safetensors":
        path = tmp_path / "b.safetensors"
        save_file(module.state_dict(), path)
    else:
        state = module.state_dict()
        torch.save(
            {"module": module, "parallel": nn.DataParallel(module), "state": state, "net": {"net": state}}[form], path
        )
    own = {} if name == "baffn_concat" else {"published_scoring": True}
    model, history = begun(name, path, train=False, **own)
    assert history == []
    assert not model.is_trained
    with torch.no_grad():
        wanted = F.normalize(module.at_test(joined()))
    np.testing.assert_allclose(model.encode(INPUTS)[0].vectors, wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["baffn_gated", "baffn_attention"])
def test_otherwise_it_scores_with_batch_normalisation_in_evaluation_mode(tmp_path, name):
    module = published(name)
    torch.save(module, tmp_path / "a.pkl")
    model, _ = begun(name, tmp_path / "a.pkl", train=False)
    x = joined()
    with torch.no_grad():
        a, v = module.fc_a(module.bn_a(x[:, :D])), module.fc_v(module.bn_v(x[:, D:]))
        cat = module.bn_cat(x)
        if name == "baffn_gated":
            z = torch.sigmoid(module.fc_att(cat))
            fused = z * torch.tanh(a) + (1 - z) * torch.tanh(v)
        else:
            weights = torch.softmax(module.attention(cat), dim=1)
            fused = weights[:, :1] * a + weights[:, 1:] * v
        wanted = F.normalize(module.bn_a(fused))
    np.testing.assert_allclose(model.encode(INPUTS)[0].vectors, wanted.numpy(), atol=1e-5)
    skipping, _ = begun(name, tmp_path / "a.pkl", train=False, published_scoring=True)
    assert not np.allclose(skipping.encode(INPUTS)[0].vectors, wanted.numpy(), atol=0.05)


def test_training_goes_on_from_there(tmp_path):
    torch.save(published("baffn_gated"), tmp_path / "a.pkl")
    still, _ = begun("baffn_gated", tmp_path / "a.pkl", train=False)
    quick = {"epochs": 1, "pairs": 64, "learning_rate": 1e-6, "weight_decay": 0.0}
    model, history = begun("baffn_gated", tmp_path / "a.pkl", **quick)
    assert len(history) == 1
    for name, tensor in still.network.named_parameters():
        moved = dict(model.network.named_parameters())[name]
        assert 0 < (moved - tensor).abs().max() < 1e-4, name


def test_classifier_rows_are_taken_where_they_know_the_lists_speakers(tmp_path):
    module = published("baffn_concat")
    with torch.no_grad():  # what the rows would be after training: the speakers' own directions
        fused = module.at_test(joined())
        means = torch.stack([fused[rows].mean(dim=0) for rows in np.split(np.arange(len(LABELS)), 6)])
        centred = means - means.mean(dim=0)
        module.fc_out.weight.copy_(200 * centred)
        module.fc_out.bias.copy_(-100 * (means.square().sum(dim=1) - (means.mean(dim=0) ** 2).sum()))
    torch.save(module, tmp_path / "a.pkl")
    quick = {"epochs": 1, "pairs": 64}
    model, _ = begun("baffn_concat", tmp_path / "a.pkl", **quick)
    assert model.begun_at["classifier"].startswith("6 classifier rows taken: they know ")
    module.fc_out.weight.data = module.fc_out.weight.data.roll(1, dims=0)  # in another order
    module.fc_out.bias.data = module.fc_out.bias.data.roll(1)
    torch.save(module, tmp_path / "a.pkl")
    model, _ = begun("baffn_concat", tmp_path / "a.pkl", **quick)
    assert model.begun_at["classifier"].startswith("6 classifier rows left out: they know ")


def test_other_classifiers_are_left_out_which_is_said(tmp_path, caplog):
    quick = {"epochs": 1, "pairs": 64}
    torch.save(published("baffn_gated", classes=1211), tmp_path / "a.pkl")
    with caplog.at_level("INFO"):
        begun("baffn_gated", tmp_path / "a.pkl", **quick)
    assert "baffn_gated: 1,211 classifier rows left out: the list has 6 speakers" in caplog.text
    model, _ = begun("baffn_gated", tmp_path / "a.pkl", loss="aam", **quick)
    assert model.begun_at["classifier"] == "1,211 classifier rows left out: the loss has no cross entropy"
    state = {k: v for k, v in published("baffn_gated").state_dict().items() if not k.startswith("fc_out")}
    torch.save(state, tmp_path / "a.pkl")
    model, _ = begun("baffn_gated", tmp_path / "a.pkl", **quick)
    assert model.begun_at["classifier"] == "the file has no classifier"


def test_other_shapes_are_told_with_a_remedy(tmp_path):
    torch.save(published("baffn_gated"), tmp_path / "a.pkl")
    for change, expected, given in (
        ({"length": 12}, (12, 20), "embeddings of 20 (audio) and 16 (visual) and a fused length of 12"),
        ({"inputs": PEOPLE}, (20, 24), "embeddings of 24 (audio) and 16 (visual) and a fused length of 20"),
    ):
        message = f"fc_a.weight has the shape (20, 20), expected {expected} for {given}; embed with the encoders that "
        with pytest.raises(ModelError, match=re.escape(message)):
            begun("baffn_gated", tmp_path / "a.pkl", **change)


def test_weights_of_another_model_are_told(tmp_path):
    torch.save(published("baffn_attention"), tmp_path / "a.pkl")
    with pytest.raises(
        ModelError,
        match=r"not the weights of baffn_gated \(tests\.fusion\.test_start\.Weighted of 23 tensors\): it lacks "
        r"fc_att\.weight, fc_att\.bias; has beside them attention\.weight, attention\.bias; name the model that they "
        "are of, and set its length as there",
    ):
        begun("baffn_gated", tmp_path / "a.pkl")


def test_settings_that_begin_nowhere_are_refused():
    kind = type(new_model("baffn_gated", 4, 3).own)
    with pytest.raises(ConfigError, match="train False; expected true, or weights as well"):
        filled(kind, {"train": False}, "baffn_gated")
    with pytest.raises(ConfigError, match="unknown option 'published_scoring'"):
        filled(type(new_model("baffn_concat", 4, 3).own), {"published_scoring": True}, "baffn_concat")


@pytest.fixture
def run(tmp_path):
    """Return a function that trains on a list as the workflow does."""
    names = INPUTS.utterances
    (tmp_path / "list.txt").write_text("".join(f"{s} {u}.wav 4.0\n" for s, u in zip(SPEAKERS, names, strict=True)))
    write_table(tmp_path / "plan.parquet", pd.DataFrame({"utterance": names, "held_out": False}))
    for modality, stream in INPUTS.streams.items():
        write_embeddings(tmp_path / f"{modality}.parquet", names, stream.pooled)

    def train(name, **own):
        kind = type(new_model(name, 4, 3))
        train_on_list(
            kind, filled(kind.settings, {"length": D, **own}, name), Fusion(),
            train_list=tmp_path / "list.txt", list_name="all", plan=tmp_path / "plan.parquet",
            audio=[tmp_path / "audio.parquet"], visual=[tmp_path / "visual.parquet"],
            out={0: tmp_path / "out.safetensors"}, device=CPU,
        )  # fmt: skip
        return tmp_path / "out.safetensors"

    return train


def test_the_record_tells_the_file_and_what_its_authors_stored(tmp_path, run):
    path = tmp_path / "a.model"
    torch.save({"net": published("baffn_gated").state_dict(), "EER": np.float64(0.548), "epoch": 20}, path)
    trained = load_fusion(run("baffn_gated", weights=str(path), train=False))
    assert trained.facts["weights"] == {
        "sha256": sha256_of(path),
        "kind": "",
        "stored": {"EER": 0.548, "epoch": 20},
    }
    assert trained.facts["trained"] is False
    assert trained.speakers == []  # nobody of the list taught it anything
    assert "loss_last" not in trained.facts
    moved = path.rename(tmp_path / "b.model")
    before = (tmp_path / "out.safetensors").read_bytes()
    assert run("baffn_gated", weights=str(moved), train=False).read_bytes() == before
    trained = load_fusion(run("baffn_gated", weights=str(moved), epochs=1, pairs=64))
    assert trained.facts["trained"] is True
    assert trained.facts["weights"]["classifier"].startswith("6 classifier rows left out: they know ")
    assert trained.speakers == sorted(set(SPEAKERS))
