from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from avsieve.config.model import parse_config
from avsieve.doctor.training import check_training
from avsieve.encoders.registry import build
from avsieve.encoders.visual import VISUAL
from avsieve.sources.findings import Finding


def found(in_report: bool = False, **training: Any) -> list[Finding]:
    return check_training(parse_config({"training": training, "comparison": {"in_report": in_report}}))


def test_what_no_run_needs_is_a_warning_and_what_this_one_needs_an_error(tmp_path: Path) -> None:
    for in_report, level in ((False, "warning"), (True, "error")):
        (told,) = found(in_report, audio={"noise": str(tmp_path / "nowhere")})
        assert (told.level, told.subject) == (level, "training.audio.noise")
        assert "no recording" in told.text


def test_folders_of_sounds_are_counted_and_their_rate_is_looked_at(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 16_000)
    (told,) = found(audio={"preset": "avcleanse", "music": str(tmp_path)})
    assert (told.level, told.text) == ("ok", f"{tmp_path}: 1 recordings")
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 44_100)
    (told,) = found(audio={"music": str(tmp_path)})
    assert "44100 Hz; expected 16000 Hz" in told.text
    (tmp_path / "a.wav").write_bytes(b"no sound")
    (told,) = found(audio={"music": str(tmp_path)})
    assert told.level == "warning"


@pytest.mark.parametrize("key", ["weight", "face_loss.weight"])
def test_first_weights_are_loaded_as_the_training_loads_them(tmp_path: Path, key: str) -> None:
    state = build(VISUAL, "iresnet18").state_dict()
    torch.save(state | {key: torch.zeros(9, 512)}, tmp_path / "V.model")
    (told,) = found(visual={"arch": "iresnet18", "start_from": str(tmp_path / "V.model")})
    assert told.level == "ok"
    (told,) = found(visual={"start_from": str(tmp_path / "V.model")})
    assert told.level == "warning"
    assert "does not fit MobileFace" in told.text
    assert "\n" not in told.text


def test_nothing_is_asked_of_trainings_that_the_source_cannot_feed() -> None:
    tables = {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz"}
    values = {
        "source": {"kind": "embeddings", "embeddings": tables},
        "training": {"audio": {"noise": "nowhere", "start_from": "nowhere.pt"}},
    }
    assert check_training(parse_config(values)) == []
