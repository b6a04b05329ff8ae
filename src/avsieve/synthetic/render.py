"""Render the clips of the embedded corpus."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from avsieve.media.ffmpeg import write_clip
from avsieve.storage.wav import wav_bytes
from avsieve.synthetic.corpus import DEMO_ENTROPY, Clip, CorpusSettings, duration_s, sex_of
from avsieve.synthetic.faces.person import render_frames, sample_face, sample_scene
from avsieve.synthetic.voices.person import sample_channel, sample_voice, synthesise


def render_clip(settings: CorpusSettings, clip: Clip, path: Path) -> None:
    """Render one clip as H.264 + AAC mp4, 224 x 224 at 25 frames a second, 16 kHz mono."""

    def stream(*numbers: int) -> np.random.Generator:
        return np.random.default_rng([DEMO_ENTROPY, settings.seed, *numbers])

    # The scene, the light and the microphone are those of the video, whoever is put into it.
    place = (clip.person, clip.video_number)
    face = sample_face(stream(clip.face, 0), sex_of(clip.face))
    voice = sample_voice(stream(clip.voice, 1), sex_of(clip.voice))
    take = stream(*place, clip.number, clip.face, clip.voice, 4)
    wave, mouth = synthesise(voice, sample_channel(stream(*place, 3)), duration_s(settings, clip), take)
    frames = render_frames(face, sample_scene(stream(*place, 2), face), mouth, take)
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.wav"
        wav.write_bytes(wav_bytes(np.clip(np.round(wave * 32767), -32768, 32767).astype(np.int16)))
        write_clip(path, frames, wav)
