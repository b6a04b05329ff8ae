"""What papers do to a voice and the faces of the same utterance in training, under their names.

Whatever is random in a row is drawn from the row's own generator. What a paper damages in the network, such as AVN's
feature maps and embeddings, is none of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avsieve.damage.faces import change_of
from avsieve.damage.kinds import KINDS
from avsieve.damage.manifest import Wanted
from avsieve.damage.sounds import as_samples, damaged_voice
from avsieve.damage.surroundings import BABBLE_VOICES, audible, decaying_room
from avsieve.evaluation.conditions.contract import Condition, ConditionPart
from avsieve.evaluation.conditions.draws import drawn_parameters
from avsieve.evaluation.conditions.registry import VARIED
from avsieve.evaluation.conditions.settings import conditions_of
from avsieve.joint.signal_reading import Augmentation, Example, Others
from avsieve.registry import Registry
from avsieve.settings import filled
from avsieve.sound.mixing import from_direct_sound, rms
from avsieve.sound.recordings import SoundFolder
from avsieve.storage.wav import as_float
from avsieve.synthetic.voices.channel import coloured_noise
from avsieve.training.encoder import presets
from avsieve.training.encoder.augment import Augmenter
from avsieve.training.encoder.face_augment import FaceAugmentation

logger = logging.getLogger(__name__)

AVN_SHARE = 0.5
"""Of the rows in which AVN's augmentation damages a modality; our choice, since the paper's is not known to us."""


@dataclass(frozen=True)
class Given:
    """What an augmentation is built of.

    Attributes
    ----------
    seed
        Draws what is made once, such as a stock of rooms.
    channels
        Order of the planes that the face encoder is given.
    noise, music, speech, rooms
        Folders of recordings at 16 kHz.
    """

    seed: int = 0
    channels: str = "rgb"
    noise: str | Path | None = None
    music: str | Path | None = None
    speech: str | Path | None = None
    rooms: str | Path | None = None


def _none(_given: Given) -> None:
    return None


@dataclass(frozen=True)
class _SideBySide:
    """Voice and each face are augmented by themselves."""

    voice: Augmenter
    face: FaceAugmentation

    def __call__(self, example: Example, rng: np.random.Generator, others: Others) -> Example:
        wave, faces = example.wave, example.faces
        if wave is not None:
            wave = self.voice(wave, rng, others)
        if len(faces):
            faces = np.stack([self.face(face, rng) for face in faces])
        return example._replace(wave=wave, faces=faces)


def _avcleanse(given: Given) -> Augmentation:
    """Tao et al., ICASSP 2023, as its code has it: what `training.audio` and `training.visual` do under that name."""
    audio, visual = presets.AUDIO["avcleanse"], presets.VISUAL["avcleanse"]
    kinds = audio["augment"]
    if given.music is None:
        logger.warning("augmentation avcleanse: no folder of music is named; it does without music")
        kinds = [kind for kind in kinds if kind != "music"]
    voice = Augmenter(
        kinds,
        noise=given.noise, music=given.music, rooms=given.rooms, speech=given.speech,
        stack=audio["stack"], gain_db=audio["gain_db"], mixing=audio["mixing"], seed=given.seed,
    )  # fmt: skip
    strengths = {name: visual[name] for name in ("flip", "grey", "blur", "noise", "erase", "jitter", "shift", "smooth")}
    return _SideBySide(voice, FaceAugmentation(**strengths, planes=given.channels))


@dataclass(frozen=True)
class _Sounds:
    """What a voice of a row is damaged with (`avsieve.damage.surroundings.Around`)."""

    recordings: SoundFolder | None
    rooms: SoundFolder | None
    others: Others

    def noise(self, sound: str, n: int, utterance: str, rng: np.random.Generator) -> np.ndarray:
        """Return noise (n,): white is evenly distributed and a recording its middle, as in the VUT thesis."""
        if sound == "white":
            return rng.uniform(-1, 1, n)
        if sound == "babble":
            voices = [self.others(n) for _ in range(int(rng.integers(BABBLE_VOICES[0], BABBLE_VOICES[1] + 1)))]
            return np.sum([voice / max(rms(voice), 1e-9) for voice in voices], axis=0)
        recordings = self.recordings
        if sound != "recording" or recordings is None:
            return coloured_noise(sound, n, rng)
        return audible(lambda: recordings.middle(n, rng), recordings)

    def response(self, t60_s: float, rng: np.random.Generator) -> np.ndarray:
        """Return the impulse response of a recorded room, if there are any, or of a generated one."""
        rooms = self.rooms
        if rooms is None:
            return decaying_room(t60_s, rng)
        response = from_direct_sound(audible(lambda: rooms.piece(None, rng), rooms))
        return response / response[0]


class OneModality:
    """Damage one modality of a row at most, as a condition of the evaluation says.

    A row that lacks the modality whose turn it is stays as it is.

    Parameters
    ----------
    condition
        One of its parts is drawn, by their shares, or none.
    given
        Folders.
    stretch
        Whether of several faces a random run of such as follow each other is damaged, or all are.
    """

    def __init__(self, condition: Condition, given: Given, *, stretch: bool) -> None:
        self.condition, self.stretch = condition, stretch
        folders = [folder for folder in (given.noise, given.music) if folder is not None]
        self._recordings = SoundFolder(*folders) if folders else None
        self._rooms = SoundFolder(given.rooms) if given.rooms is not None else None
        self._ends = np.cumsum([part.share for part in condition.parts])

    def __call__(self, example: Example, rng: np.random.Generator, others: Others) -> Example:
        """Return the row, damaged or not."""
        place = int(np.searchsorted(self._ends, rng.random(), side="right"))
        if place == len(self._ends):
            return example
        part = self.condition.parts[place]
        wanted = _wanted(part, rng)
        if part.modality == "audio":
            if example.wave is None:
                return example
            sounds = _Sounds(self._recordings, self._rooms, others)
            return example._replace(wave=as_float(damaged_voice(as_samples(example.wave), wanted, sounds)))
        count = len(example.faces)
        if not count:
            return example
        length = int(rng.integers(1, count + 1)) if self.stretch else count
        begin = int(rng.integers(count - length + 1))
        faces, change = example.faces.copy(), change_of(wanted)
        for k in range(begin, begin + length):
            faces[k] = change(faces[k])
        return example._replace(faces=faces)


def _wanted(part: ConditionPart, rng: np.random.Generator) -> Wanted:
    values: dict[str, Any] = drawn_parameters(part.parameters, rng)
    parameters = filled(KINDS[part.modality][part.kind], values, part.kind)
    return Wanted("", "", part.kind, parameters, int(rng.integers(2**63)))


def _sounds(given: Given) -> str | list[str]:
    """Return what noise is that is not said to be white, as `evaluation.damage` has it."""
    return ["white", "pink", "babble"] if given.noise is None and given.music is None else "recording"


def _vut(given: Given) -> Augmentation:
    """O. Bahounek, thesis, FIT VUT Brno 2024, whose training and noisy trials are damaged alike.

    Four rows in five are damaged in one modality, half of these in either: a crop of 70 of 112 pixels, or a blur; a
    recording of noise or music, or white noise, at 1 dB.
    """
    return OneModality(conditions_of(["vut"], _sounds(given))[0], given, stretch=True)


def _avn(given: Given) -> Augmentation:
    """After Qian, Chen and Wang, IEEE/ACM TASLP 29, 2021: one modality of a pair is damaged badly, never both.

    What they do to the signals is not known to us: half of the rows get one of the kinds of `VARIED`, as many in either
    modality.
    """
    conditions = conditions_of(VARIED, _sounds(given))
    parts = []
    for modality in ("audio", "visual"):
        own = [part for condition in conditions for part in condition.parts if part.modality == modality]
        share = AVN_SHARE / 2 / len(own)
        parts += [ConditionPart(p.kind, modality, p.side, share, p.parameters, p.similarity) for p in own]
    return OneModality(Condition("avn", tuple(parts), exclusive=True), given, stretch=False)


AUGMENTATIONS: Registry[Callable[[Given], Augmentation | None]] = Registry(
    "augmentation", {"none": _none, "avcleanse": _avcleanse, "vut": _vut, "avn": _avn}
)
"""Name -> what makes it of what is given; None leaves the rows as they are."""


def augmentation_of(
    name: str,
    *,
    seed: int = 0,
    channels: str = "rgb",
    noise: str | Path | None = None,
    music: str | Path | None = None,
    speech: str | Path | None = None,
    rooms: str | Path | None = None,
) -> Augmentation | None:
    """Return an augmentation by its name, None for `none`; see `Given`.

    Raises
    ------
    ConfigError
        If there is none of that name, or a folder holds no recording.
    """
    return AUGMENTATIONS[name](Given(seed, channels, noise, music, speech, rooms))
