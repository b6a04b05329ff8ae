from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from avsieve.encoders import load_audio_encoder
from avsieve.encoders.audio import AUDIO
from avsieve.encoders.ecapa import ecapa512, ecapa_small
from avsieve.encoders.fbank import mel_filters
from avsieve.encoders.registry import build
from avsieve.errors import ConfigError, ModelError


def as_avcleanse_saves(encoder: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return a state dict with the constants of torchaudio's front end and the loss weights beside the encoder."""
    found = {prefix + k: v for k, v in encoder.items()}
    found[f"{prefix}torchfbank.0.flipped_filter"] = torch.tensor([[[-0.97, 1.0]]])
    found[f"{prefix}torchfbank.1.spectrogram.window"] = torch.hamming_window(400)
    found[f"{prefix}torchfbank.1.mel_scale.fb"] = torch.from_numpy(mel_filters())
    found["weight" if not prefix else "speaker_loss.weight"] = torch.randn(11, 192)
    return found


@pytest.mark.parametrize("prefix", ["", "speaker_encoder.", "module.speaker_encoder."])
def test_a_checkpoint_of_avcleanse_loads_unchanged(tmp_path: Path, prefix: str) -> None:
    trained = ecapa512().eval()
    torch.save(as_avcleanse_saves(trained.state_dict(), prefix), tmp_path / "model_0100.model")
    loaded = load_audio_encoder("ecapa512", tmp_path / "model_0100.model")
    waves = torch.randn(2, 8000)
    with torch.no_grad():
        found = loaded(waves)
        assert torch.equal(found, trained(waves))
    assert found.shape == (2, loaded.dim)


def test_a_checkpoint_of_both_modalities_gives_its_audio_part(tmp_path: Path) -> None:
    joint = as_avcleanse_saves(ecapa512().state_dict(), "speaker_encoder.")
    joint |= {"face_encoder.conv1.weight": torch.zeros(3), "face_loss.weight": torch.zeros(3)}
    torch.save(joint, tmp_path / "joint.pt")
    load_audio_encoder("ecapa512", tmp_path / "joint.pt")


def test_another_front_end_is_refused(tmp_path: Path) -> None:
    state = as_avcleanse_saves(ecapa512().state_dict(), "")
    state["torchfbank.1.mel_scale.fb"] = torch.from_numpy(mel_filters(low_hz=300.0))
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"mel_scale\.fb .* trained on other features"):
        load_audio_encoder("ecapa512", tmp_path / "other.pt")


def test_a_checkpoint_of_another_size_is_refused(tmp_path: Path) -> None:
    torch.save(ecapa512().state_dict(), tmp_path / "a.pt")
    with pytest.raises(ModelError, match=r"misshapen: conv1\.weight"):
        load_audio_encoder("ecapa1024", tmp_path / "a.pt")


def test_our_own_file_says_what_it_holds(tmp_path: Path) -> None:
    save_file(ecapa_small().state_dict(), tmp_path / "a.safetensors", {"arch": "ecapa_small"})
    assert load_audio_encoder("ecapa_small", tmp_path / "a.safetensors").dim == 128
    with pytest.raises(ModelError, match="architecture 'ecapa_small', asked for 'ecapa512'"):
        load_audio_encoder("ecapa512", tmp_path / "a.safetensors")


def test_an_unknown_architecture_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"audio architecture 'ecapa2048'; expected one of ecapa_small, ecapa512, .*rawnet2, .*onnx"
    ):
        build(AUDIO, "ecapa2048")
