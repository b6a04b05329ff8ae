from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import nn

from avsieve.encoders.audio import AUDIO, BUILTIN_FILE, load_weights
from avsieve.errors import ModelError
from avsieve.training.encoder.audio_data import CropBatches, Speech
from avsieve.training.encoder.encoder_run import Data, Modality, train_encoder
from avsieve.training.encoder.settings import TrainAudio
from avsieve.training.phase import Phase
from avsieve.wiring.codehash import Library, modules_of

from .conftest import TinySpeech
from .recipes import run_of, schedule_of

MODALITY = Modality("train_it", ("torch",), AUDIO, BUILTIN_FILE, load_weights, "crops")
SETTINGS = TrainAudio(batch=4, seed=5)


def never(_encoder: nn.Module) -> Data:
    raise AssertionError("the data were opened")


def test_an_absent_device_is_told_before_the_data_are_opened(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not available"):
        train_encoder(
            MODALITY, tmp_path / "list.txt", tmp_path / "net", never, settings=SETTINGS,
            run=run_of(device="cuda:7"), recipe={},
        )  # fmt: skip


def test_the_data_add_to_the_metadata_and_what_wraps_the_encoder_does_not(
    tiny_speech: TinySpeech, tmp_path: Path
) -> None:
    wrapped = []

    def wrap(encoder: nn.Module) -> nn.Module:
        wrapped.append(encoder)
        return nn.Sequential(encoder, nn.Linear(128, 128))

    def load(_encoder: nn.Module) -> Data:
        speech = Speech(tiny_speech.train_list, [tiny_speech.tar])
        phases = [Phase(CropBatches(speech, steps=2, batch=4, crop_s=0.5, seed=5), schedule_of(2))]
        return Data(speech, phases, 9, metadata={"colour": "blue"})

    rows = train_encoder(
        MODALITY, tiny_speech.train_list, tmp_path / "net.safetensors", load, settings=SETTINGS,
        run=run_of(checkpoint=tmp_path / "net.resume"), recipe={}, wrap=wrap,
    )  # fmt: skip
    assert [row[0] for row in rows] == [2]
    with safe_open(tmp_path / "net.safetensors", "pt") as handle:
        expected = {"arch": "ecapa_small", "dim": "128", "classes": "9", "seed": "5", "colour": "blue"}
        assert handle.metadata() == expected
        assert set(handle.keys()) == set(wrapped[0].state_dict())
        assert torch.equal(handle.get_tensor("fc6.weight"), wrapped[0].get_parameter("fc6.weight"))
    assert not (tmp_path / "net.resume").exists()


@pytest.mark.parametrize(("modality", "other"), [("audio", "visual"), ("visual", "audio")])
def test_the_training_of_a_modality_does_not_depend_on_the_other_s_code(
    modality: str, other: str, repository: Path
) -> None:
    modules = modules_of(repository / f"workflow/scripts/train_{modality}.py", Library(repository / "src"))
    assert f"avsieve.training.encoder.{modality}" in modules
    assert not [m for m in modules if other in m or (other == "visual" and "face" in m)]
