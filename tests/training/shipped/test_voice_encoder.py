from __future__ import annotations

import json
from pathlib import Path

from avsieve.encoders.audio import load_audio_encoder
from avsieve.synthetic.voices.corpus import VoiceCorpus
from avsieve.training.encoder.settings import TrainAudio
from avsieve.training.shipped.voice_encoder import MEASURING, TRAINING, train_voice_encoder


def test_a_rebuilt_encoder_loads_and_says_how_it_was_measured(tmp_path: Path) -> None:
    voices, strangers = VoiceCorpus(TRAINING, 4, 2, 1, 1.0), VoiceCorpus(MEASURING, 4, 2, 1, 1.0)
    settings = TrainAudio(steps=2, batch=4, crop_s=0.5, augment=["none"])
    output = tmp_path / "voice.safetensors"
    train_voice_encoder(tmp_path, output, settings, voices=voices, strangers=strangers)
    load_audio_encoder("ecapa_small", output)
    facts = json.loads(output.with_suffix(".json").read_text())
    assert facts["voices"] == {"population": 2, "people": 4, "videos": 2, "seconds": 1.0}
    assert facts["measured"]["what"].startswith("cosine scores of 4 people nobody trained on, 2 videos each, 1 s")
    assert 0 <= facts["measured"]["eer_all_percent"] <= 100
    # The voices are used again: a second training takes the same and gives the same.
    first = output.read_bytes()
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("voices*")}
    train_voice_encoder(tmp_path, output, settings, voices=voices, strangers=strangers)
    assert output.read_bytes() == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("voices*")} == times
