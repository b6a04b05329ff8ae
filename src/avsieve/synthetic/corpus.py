"""The embedded corpus: synthetic talking people, with a share of the labels deliberately wrong.

Everything follows from the settings: the plan, the wrong labels and every pixel. The truth is a separate table that
no stage reads; only the report compares with it.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError

# The demo's people are drawn from this entropy, the people that the shipped models were trained on from another.
DEMO_ENTROPY = 1
KINDS = ("video", "voice", "face")


@dataclass(frozen=True)
class CorpusSettings:
    """What the corpus looks like; lengths in seconds, ``noise`` as a share of the training utterances."""

    speakers: int = 28
    videos: int = 4
    utterances: int = 3
    test_speakers: int = 12
    test_videos: int = 4
    test_utterances: int = 2
    duration_s: float = 3.0
    noise: float = 0.15
    outside: float = 0.3
    seed: int = 1


@dataclass(frozen=True)
class Clip:
    """One utterance: the person of its label, and the people really seen and heard in it (indices of people)."""

    person: int
    video_number: int
    number: int
    subset: str
    face: int
    voice: int
    kind: str = "clean"

    @property
    def speaker(self) -> str:
        """The speaker's id, in VoxCeleb's format."""
        return speaker_name(self.person)

    def utterance(self, seed: int) -> str:
        """Return the id ``speaker/video/utterance``."""
        return f"{self.speaker}/{_video_name(seed, self.person, self.video_number)}/{self.number + 1:05d}"


def speaker_name(person: int) -> str:
    """Return the id of a person of the corpus."""
    return f"id9{person:04d}"


def sex_of(person: int) -> Literal["f", "m"]:
    """Return the sex of a person: alternating, so that every corpus has enough same-sex impostors."""
    return "f" if person % 2 == 0 else "m"


def _video_name(seed: int, person: int, video: int) -> str:
    digest = hashlib.blake2b(f"{seed}/{person}/{video}".encode(), digest_size=9).digest()
    return base64.urlsafe_b64encode(digest).decode()[:11].replace("-", "x")


def duration_s(settings: CorpusSettings, clip: Clip) -> float:
    """Vary the lengths by up to a fifth, on whole video frames."""
    rng = np.random.default_rng([DEMO_ENTROPY, settings.seed, clip.person, clip.video_number, clip.number, 5])
    return round(25 * settings.duration_s * rng.uniform(0.8, 1.2)) / 25


def _check(settings: CorpusSettings) -> None:
    if settings.speakers < 4:
        raise AvsieveError(f"source.synthetic.speakers is {settings.speakers}; at least 4 people are needed")
    if not 0 <= settings.noise <= 0.6:
        raise AvsieveError(f"source.synthetic.noise is {settings.noise}; expected a share from 0 to 0.6")


def plan_clips(settings: CorpusSettings) -> list[Clip]:
    """Return the clips, training people first, with the wrong labels in place.

    Whole videos show another person, of the corpus or from outside it (share ``outside``); single utterances have
    another person's voice or face. Test people are never mislabelled.
    """
    _check(settings)
    train, total = settings.speakers, settings.speakers + settings.test_speakers
    clips = [
        Clip(p, v, u, "train" if p < train else "test", p, p)
        for p in range(total)
        for v in range(settings.videos if p < train else settings.test_videos)
        for u in range(settings.utterances if p < train else settings.test_utterances)
    ]
    rng = np.random.default_rng([DEMO_ENTROPY, settings.seed])
    videos = [(p, v) for p in range(train) for v in range(settings.videos)]
    budget = round(settings.noise * train * settings.videos * settings.utterances)
    wrong: dict[tuple[int, int, int], Clip] = {}
    for n, i in enumerate(rng.permutation(len(videos))):
        if len(wrong) >= budget:
            break
        person, video = videos[i]
        kind = KINDS[n % len(KINDS)]
        other = int(rng.choice([q for q in range(train) if q != person]))
        if kind == "video" and rng.random() < settings.outside:
            other = total + n
        numbers = range(settings.utterances) if kind == "video" else [int(rng.integers(settings.utterances))]
        for u in list(numbers)[: budget - len(wrong)]:
            face, voice = (other if kind != "voice" else person), (other if kind != "face" else person)
            wrong[person, video, u] = Clip(person, video, u, "train", face, voice, kind)
    return [wrong.get((c.person, c.video_number, c.number), c) for c in clips]


def plan_rows(settings: CorpusSettings) -> pd.DataFrame:
    """Return the rows of the plan: ``utterance``, ``subset``, ``path`` and ``seconds`` (three decimals, as text)."""
    clips = plan_clips(settings)
    ids = [c.utterance(settings.seed) for c in clips]
    return pd.DataFrame(
        {
            "utterance": ids,
            "subset": [c.subset for c in clips],
            "path": ids,
            "seconds": [f"{duration_s(settings, c):.3f}" for c in clips],
        }
    )


def speaker_rows(settings: CorpusSettings) -> pd.DataFrame:
    """Return one row per speaker: ``speaker`` and ``sex``."""
    people = range(settings.speakers + settings.test_speakers)
    return pd.DataFrame({"speaker": [speaker_name(p) for p in people], "sex": [sex_of(p) for p in people]})


def truth_rows(settings: CorpusSettings) -> pd.DataFrame:
    """Return the truth: ``utterance``, ``speaker``, ``kind``, ``face_of``, ``voice_of``."""
    clips = plan_clips(settings)
    return pd.DataFrame(
        {
            "utterance": [c.utterance(settings.seed) for c in clips],
            "speaker": [c.speaker for c in clips],
            "kind": [c.kind for c in clips],
            "face_of": [speaker_name(c.face) for c in clips],
            "voice_of": [speaker_name(c.voice) for c in clips],
        }
    )
