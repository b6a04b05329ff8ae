from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from avsieve.errors import ModelError
from avsieve.fusion.checkpoint import Trained, left_out, load_fusion, save_fusion, save_left_out
from avsieve.fusion.settings import HEADS

from .made_up import QUICK, make_people, new_model

TEST, _ = make_people("test", 4, seed=2)


@pytest.fixture(params=HEADS)
def model(request):
    torch.manual_seed(0)
    made = new_model(request.param, 24, 16, dim=8, **QUICK.get(request.param, {}))
    made.network.eval()
    return made


def test_a_saved_model_scores_as_before_and_knows_where_it_comes_from(tmp_path, model):
    save_fusion(tmp_path / "m.safetensors", Trained(model, "clean", 7, ["a", "b"], {"list_sha256": "0f"}))
    found = load_fusion(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(found.model.encode(TEST)[0].vectors, model.encode(TEST)[0].vectors)
    assert (found.model.name, found.trained_on, found.seed) == (model.name, "clean", 7)
    assert (found.speakers, found.facts) == (["a", "b"], {"list_sha256": "0f"})


def test_files_that_are_no_fusion_models_are_refused(tmp_path):
    with pytest.raises(ModelError, match="no such fusion model"):
        load_fusion(tmp_path / "absent.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_fusion(tmp_path / "text.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="no fusion model"):
        load_fusion(tmp_path / "other.safetensors")


def test_settings_of_a_model_are_kept_with_it(tmp_path):
    save_fusion(tmp_path / "m", Trained(new_model("gated", 24, 16, dim=8, hidden=5), "all", 0, [], {}))
    found = load_fusion(tmp_path / "m").model
    assert found.own.hidden == 5
    assert found.network.gate_in.out_features == 5


@pytest.mark.parametrize(
    ("name", "own", "message"),
    [
        ("old", {}, "fusion model 'old' cannot be trained"),
        ("gated", {"width": 3}, "gated: unknown option 'width'; it has hidden"),
    ],
)
def test_a_model_of_another_version_is_refused_in_a_line(tmp_path, name, own, message):
    shape = {"audio_dim": 4, "visual_dim": 3, "dim": 2} | own
    facts = {"model": name, "settings": shape, "trained_on": "all", "seed": 0, "speakers": [], "facts": {}}
    save_file({"x": torch.zeros(1)}, tmp_path / "m", {"avsieve_fusion": json.dumps(facts)})
    with pytest.raises(ModelError, match=message) as caught:
        load_fusion(tmp_path / "m")
    assert str(caught.value).endswith("train it again")


def test_why_a_model_was_left_out_stands_in_its_file(tmp_path, model):
    save_left_out(tmp_path / "none", "too few people")
    assert left_out(tmp_path / "none") == "too few people"
    save_fusion(tmp_path / "m", Trained(model, "all", 0, [], {}))
    assert left_out(tmp_path / "m") is None
