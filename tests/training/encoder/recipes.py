"""Small recipes: what a test does not name has the configuration's default."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avsieve.training.devices import Machine
from avsieve.training.encoder.augment import Augmenter
from avsieve.training.encoder.encoder_run import Run
from avsieve.training.encoder.face_augment import FaceAugmentation
from avsieve.training.encoder.settings import TrainAudio, TrainVisual
from avsieve.training.loop import Keeping
from avsieve.training.optimisation import Optimiser, Schedule
from avsieve.training.validation import Watch

UNCHANGED: dict[str, float] = dict.fromkeys(("flip", "grey", "blur", "noise", "erase", "jitter", "shift", "smooth"), 0)


def schedule_of(steps: int, **values: Any) -> Schedule:
    """Return a schedule; names are the configuration's."""
    return Schedule.of(TrainAudio(steps=steps, **values))


def optimiser_of(**values: Any) -> Optimiser:
    """Return an optimiser; names are the configuration's."""
    return Optimiser.of(TrainAudio(**values))


def watch_of(**values: Any) -> Watch:
    """Return what is kept out of a training; names are the configuration's."""
    return Watch.of(TrainAudio(**values))


def augmenter_of(kinds: Sequence[str], **values: Any) -> Augmenter:
    """Return the augmentation of speech, its folders among ``values``."""
    default = TrainAudio()
    names = ("stack", "gain_db", "mixing", "seed")
    return Augmenter(kinds, **{name: getattr(default, name) for name in names} | values)


def face_augmentation_of(planes: str = "rgb", **values: Any) -> FaceAugmentation:
    """Return the augmentation of faces; names are the configuration's."""
    return FaceAugmentation.of(TrainVisual(**values), planes)


def run_of(provenance: Path | None = None, *, device: str = "cpu", half: bool = False, **keeping: Any) -> Run:
    """Return a run in this process, with what it leaves among ``keeping``."""
    return Run(Machine(device), Keeping(**keeping), workers=0, provenance=provenance, half=half)
