from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from avsieve.config.model import parse_config
from avsieve.doctor.fusion import check_fusion


def test_published_weights_are_read_as_the_training_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "BAFFN.model"
    values = {"fusion": {"models": ["linear", {"name": "baffn_gated", "weights": str(path)}]}}
    (told,) = check_fusion(parse_config(values))
    assert (told.level, told.subject) == ("error", "fusion.models: baffn_gated")
    assert "no such file of weights" in told.text
    torch.save(nn.Linear(3, 2), path)
    (told,) = check_fusion(parse_config(values))
    assert (told.level, told.text) == ("ok", f"{path}: 2 tensors, a torch.nn.modules.linear.Linear")
    path.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    (told,) = check_fusion(parse_config(values))
    assert told.level == "error"
    assert "\n" not in told.text


def test_models_without_a_file_are_not_looked_at() -> None:
    assert check_fusion(parse_config({"fusion": {"models": ["gated", "baffn_concat"]}})) == []


def test_the_encoders_of_joint_models_are_loaded(tmp_path: Path) -> None:
    model = {"name": "avn_j", "visual_arch": "mobileface_small", "visual_weights": "builtin"}
    (told,) = check_fusion(parse_config({"fusion": {"models": [model]}}))
    assert (told.level, told.subject) == ("ok", "fusion.models: avn_j")
    assert told.text == "ecapa_small and mobileface_small fed with RGB, 0.6 M parameters, trained"
    absent = model | {"visual_weights": str(tmp_path / "none.safetensors")}
    (told,) = check_fusion(parse_config({"fusion": {"models": [absent]}}))
    assert told.level == "error"
    assert "none.safetensors" in told.text
