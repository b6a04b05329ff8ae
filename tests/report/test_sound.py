from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from avsieve.report import sound
from avsieve.report.sound import PACKINGS, RATE, WAV_S, compressed, has_encoder

from .made_up import make_media, wav_bytes

SPEECH = wav_bytes(3.0)


def without(monkeypatch: pytest.MonkeyPatch, *codecs: str) -> None:
    """Make FFmpeg lack some encoders."""
    real = has_encoder
    monkeypatch.setattr(sound, "has_encoder", lambda codec: codec not in codecs and real(codec))


def heard_s(content: bytes) -> float:
    with av.open(io.BytesIO(content)) as heard:
        stream = heard.streams.audio[0]
        assert (stream.rate, stream.channels) == (16_000, 1)
        return sum(frame.samples for frame in heard.decode(stream)) / 16_000


@pytest.mark.parametrize(
    ("lacking", "media_type"), [((), "audio/mpeg"), (("libmp3lame",), "audio/mp4")], ids=["MP3", "AAC"]
)
def test_a_sound_is_compressed_by_the_first_encoder_there_is(
    monkeypatch: pytest.MonkeyPatch, lacking: tuple[str, ...], media_type: str
) -> None:
    without(monkeypatch, *lacking)
    kind, content = compressed(SPEECH, 2.0)
    assert kind == media_type
    assert 2.0 <= heard_s(content) < 2.0 + 0.3  # whole frames of the codec
    assert len(content) < 1.3 * 2.0 * RATE / 8 + 1000  # the rate, and the container's head
    assert compressed(SPEECH, 2.0) == (kind, content)
    assert b"Lavc" not in content
    assert b"Lavf" not in content


def test_without_any_encoder_a_wav_is_cut_so_that_the_page_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "libmp3lame", "aac")
    kind, content = compressed(SPEECH, 3.0)
    assert kind == "audio/wav"
    with wave.open(io.BytesIO(content)) as heard:
        assert (heard.getnframes(), heard.getframerate()) == (int(WAV_S * 16_000), 16_000)
    with wave.open(io.BytesIO(compressed(SPEECH, 0.25)[1])) as heard:
        assert heard.getnframes() == 4000


def test_the_page_gets_the_fallback_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "libmp3lame")
    with make_media(tmp_path, ["a/v/1"]) as media:
        assert media.voice("a/v/1", 0.25).startswith("data:audio/mp4;base64,")


def test_a_wav_without_samples_is_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    for lacking in ((), ("libmp3lame",), ("libmp3lame", "aac")):
        without(monkeypatch, *lacking)
        assert compressed(wav_bytes(0.0), 1.0) is None
        monkeypatch.undo()


def test_an_encoder_is_more_than_a_decoder() -> None:
    assert "mp3float" in av.codecs_available  # a decoder
    assert not has_encoder("mp3float")
    assert not has_encoder("no codec of this name")
    assert has_encoder(PACKINGS[-1].codec)


def test_the_loudest_samples_survive_both_forms() -> None:
    loud = np.full(16_000, -32_768, np.int16)
    for packing in PACKINGS:
        assert len(sound._packed(loud, packing)) > 100
