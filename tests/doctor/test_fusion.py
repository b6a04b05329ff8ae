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
