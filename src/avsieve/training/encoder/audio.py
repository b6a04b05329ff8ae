"""Train an audio encoder from a training list and wav shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Unpack

from torch import nn

from avsieve.encoders.audio import AUDIO, BUILTIN_FILE, load_weights
from avsieve.training.encoder.audio_data import CropBatches, Speech
from avsieve.training.encoder.augment import Augmenter
from avsieve.training.encoder.encoder_run import train_encoder
from avsieve.training.encoder.job import Data, Modality, Run
from avsieve.training.encoder.large_margin import NONE, LargeMargin, plain_speed
from avsieve.training.encoder.phase import Phase
from avsieve.training.encoder.schedule import Schedule
from avsieve.training.encoder.spec_augment import Masked
from avsieve.training.encoder.state import Row
from avsieve.training.encoder.validation import OFF, Validation, Watch, split

_AUDIO = Modality(
    "train_audio", ("torch", "lightning-fabric", "numpy", "scipy"), AUDIO, BUILTIN_FILE, load_weights, "crops"
)
_SECOND = 500_009  # keeps the order and the crops of a second phase apart from those of the first
VALIDATION_SAMPLES = 64_000  # 4 s from the middle


@dataclass(frozen=True)
class AudioRecipe:
    """What decides a trained audio encoder, besides the data and the schedule.

    Parameters
    ----------
    arch
        A name of `avsieve.encoders.audio.AUDIO`.
    batch
        Crops a step.
    crop_s
        Length of a crop, seconds (AVCleanse: 2.015).
    speeds
        Speed factors; each makes its own classes.
    augment
        Treatments to draw from, see `avsieve.training.encoder.augment`; empty for none.
    stack, gain_db, mixing
        Chance of a second treatment, largest change of level, and how noise and rooms are mixed in; see
        `avsieve.training.encoder.augment.Augmenter`.
    mask
        Largest share of frames and of bands that SpecAugment hides; 0 for none.
    scale, subcenters, top_k, top_penalty
        Of the AAM-softmax; the margin is part of the schedule.
    seed
        Decides the first weights, the order, the crops and the treatments.
    """

    arch: str = "ecapa_small"
    batch: int = 64
    crop_s: float = 2.0
    speeds: tuple[float, ...] = (1.0,)
    augment: tuple[str, ...] = ("none", "room", "babble", "noise")
    stack: float = 0.0
    gain_db: float = 6.0
    mixing: str = "level"
    mask: float = 0.1
    scale: float = 30.0
    subcenters: int = 1
    top_k: int = 0
    top_penalty: float = 0.06
    seed: int = 0


def train_audio(
    train_list: Path,
    tars: Sequence[Path],
    output: Path,
    *,
    recipe: AudioRecipe,
    schedule: Schedule,
    watch: Watch = OFF,
    noise: Path | None = None,
    music: Path | None = None,
    rooms: Path | None = None,
    speech: Path | None = None,
    large: LargeMargin = NONE,
    **run: Unpack[Run],
) -> list[Row]:
    """Train and write an audio encoder; return the rows of the log.

    Parameters
    ----------
    train_list, tars
        The list and the wav shards that hold its utterances.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``classes`` and ``seed`` in its metadata.
    recipe, schedule
        What to do.
    watch
        Which speakers are kept out for a validation, and what for.
    noise, music, rooms, speech
        Folders for the augmentation.
    large
        A second phase with a large margin on long crops.
    run
        Optimiser, machine and files; see `avsieve.training.encoder.encoder_run.train_encoder`.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, or the loss is no longer finite.
    """
    folders = {"noise": noise, "music": music, "rooms": rooms, "speech": speech}

    def load(_encoder: nn.Module) -> Data:
        said, validation = Speech(train_list, tars), None
        if watch.share:
            said, held = split(said, watch.share)
            validation = Validation(held, lambda index: held.centre(index, VALIDATION_SAMPLES), watch)

        def phase(
            plan: Schedule, batch: int, crop_s: float, kinds: tuple[str, ...], speeds: tuple[float, ...], seed: int
        ) -> tuple[CropBatches, Schedule]:
            augmenter = None
            if kinds:
                augmenter = Augmenter(
                    kinds, **folders, stack=recipe.stack, gain_db=recipe.gain_db, mixing=recipe.mixing, seed=recipe.seed
                )
            plan = plan.for_list(len(said) * len(speeds), batch)
            batches = CropBatches(
                said, steps=plan.steps, batch=batch, crop_s=crop_s, speeds=speeds, augmenter=augmenter, seed=seed
            )
            return batches, plan

        first, plan = phase(schedule, recipe.batch, recipe.crop_s, recipe.augment, recipe.speeds, recipe.seed)
        phases = [Phase(first, plan)]
        if large.steps:
            kinds = recipe.augment if large.augment is None else large.augment
            place = plain_speed(recipe.speeds)
            second, plan = phase(
                large.schedule(), large.batch or recipe.batch, large.crop_s, kinds, (1.0,), recipe.seed + _SECOND
            )
            phases.append(Phase(second, plan, classes=(place * said.classes, said.classes)))
        return Data(said, phases, first.classes, validation)

    return train_encoder(
        _AUDIO,
        train_list,
        output,
        load,
        recipe=recipe,
        treated=lambda encoder: Masked(encoder, recipe.mask),
        besides={"large_margin": asdict(large), "folders": {k: str(v) for k, v in folders.items() if v is not None}},
        **run,
    )
