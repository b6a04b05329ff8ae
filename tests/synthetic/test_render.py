from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from avsieve.storage.wav import SAMPLE_RATE
from avsieve.synthetic import render
from avsieve.synthetic.corpus import CorpusSettings, duration_s, plan_clips
from avsieve.synthetic.faces.person import render_frames
from avsieve.synthetic.render import render_clip
from avsieve.synthetic.voices.person import synthesise

SETTINGS = CorpusSettings(duration_s=0.6)
CLIP = plan_clips(SETTINGS)[0]


def decoded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with av.open(str(path)) as container:
        images = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        assert container.streams.audio[0].rate == SAMPLE_RATE
        sound = [f.to_ndarray()[0] for f in container.decode(audio=0)]
    return np.stack(images), np.concatenate(sound)


def test_equal_clips_have_equal_bytes_and_the_length_that_was_planned(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        render_clip(SETTINGS, CLIP, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    images, _ = decoded(tmp_path / "a.mp4")
    assert images.shape == (round(25 * duration_s(SETTINGS, CLIP)), 224, 224)


def test_people_belong_to_the_clip_and_the_place_to_its_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[object, ...]] = []

    def recorded(voice: object, channel: object, *rest: object) -> tuple[np.ndarray, np.ndarray]:
        seen.append((voice, channel))
        return synthesise(voice, channel, *rest)  # type: ignore[arg-type]

    def shown(face: object, scene: object, *rest: object) -> Iterator[np.ndarray]:
        seen[-1] += (face, scene)
        return render_frames(face, scene, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "synthesise", recorded)
    monkeypatch.setattr(render, "render_frames", shown)
    own = CLIP
    clips = [own, replace(own, voice=own.voice + 2), replace(own, face=own.face + 2), replace(own, video_number=1)]
    for number, clip in enumerate(clips):
        render_clip(SETTINGS, clip, tmp_path / f"{number}.mp4")

    def same(number: int) -> list[bool]:
        return [repr(a) == repr(b) for a, b in zip(seen[0], seen[number], strict=True)]

    # voice, microphone, face, scene; hair and glasses of a scene are those of its face
    assert same(1) == [False, True, True, True]
    assert same(2)[:3] == [True, True, False]
    assert same(3) == [True, False, True, False]
    own_face, other_face = (decoded(tmp_path / f"{n}.mp4")[0][0].astype(int) for n in (0, 2))
    assert np.abs(own_face - other_face).mean() > 2
