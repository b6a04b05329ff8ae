"""Train an audio encoder from a training list and wav shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from avsieve.encoders.audio import AUDIO, BUILTIN_FILE, load_weights
from avsieve.errors import ConfigError
from avsieve.training.encoder.audio_data import CropBatches, Speech
from avsieve.training.encoder.augment import Augmenter
from avsieve.training.encoder.encoder_run import Data, Modality, Run, train_encoder
from avsieve.training.encoder.settings import TrainAudio
from avsieve.training.encoder.spec_augment import Masked
from avsieve.training.encoder.validation import Validation, split
from avsieve.training.optimisation import Schedule
from avsieve.training.phase import Phase
from avsieve.training.state import Row
from avsieve.training.validation import Watch

_AUDIO = Modality(
    "train_audio", ("torch", "lightning-fabric", "numpy", "scipy"), AUDIO, BUILTIN_FILE, load_weights, "crops"
)
_SECOND = 500_009  # keeps the order and the crops of a second phase apart from those of the first
VALIDATION_SAMPLES = 64_000  # 4 s from the middle
FOLDERS = ("noise", "music", "rooms", "speech")
# What decides the result beside schedule, optimiser, validation, second phase, folders and first weights.
RECIPE = (
    "arch", "batch", "crop_s", "speeds", "augment", "stack", "gain_db", "mixing", "mask", "scale", "subcenters",
    "top_k", "top_penalty", "seed",
)  # fmt: skip


def train_audio(train_list: Path, tars: Sequence[Path], output: Path, *, settings: TrainAudio, run: Run) -> list[Row]:
    """Train and write an audio encoder; return the rows of the log.

    Parameters
    ----------
    train_list, tars
        The list and the wav shards that hold its utterances.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``classes`` and ``seed`` in its metadata.
    settings
        What to do.
    run
        Where, and what to write besides.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, or the loss is no longer finite.
    """
    watch, large = Watch.of(settings), settings.large_margin
    folders = {name: getattr(settings, name) for name in FOLDERS}

    def load(_encoder: nn.Module) -> Data:
        said, validation = Speech(train_list, tars), None
        if watch.share:
            said, held = split(said, watch.share)
            validation = Validation(held, lambda index: held.centre(index, VALIDATION_SAMPLES), watch)

        def phase(
            plan: Schedule, batch: int, crop_s: float, kinds: Sequence[str], speeds: Sequence[float], seed: int
        ) -> tuple[CropBatches, Schedule]:
            augmenter = None
            if kinds:
                augmenter = Augmenter(
                    kinds,
                    **folders,
                    stack=settings.stack,
                    gain_db=settings.gain_db,
                    mixing=settings.mixing,
                    seed=settings.seed,
                )
            plan = plan.for_list(len(said) * len(speeds), batch)
            batches = CropBatches(
                said, steps=plan.steps, batch=batch, crop_s=crop_s, speeds=speeds, augmenter=augmenter, seed=seed
            )
            return batches, plan

        first, plan = phase(
            Schedule.of(settings), settings.batch, settings.crop_s, settings.augment, settings.speeds, settings.seed
        )
        phases = [Phase(first, plan)]
        if large.steps:
            # Thienpondt et al., arXiv 2010.11255, section 3.2: longer crops make embeddings good enough for a margin
            # that would not converge on short ones. Speeds other than 1 go, and the centres of their classes.
            place = plain_speed(settings.speeds)
            second, plan = phase(
                Schedule.cosine(large.steps, lr=large.lr, lr_end=large.lr_end, warmup=0.0, margin=large.margin),
                large.batch or settings.batch,
                large.crop_s,
                settings.augment if large.augment is None else large.augment,
                (1.0,),
                settings.seed + _SECOND,
            )
            phases.append(Phase(second, plan, classes=(place * said.classes, said.classes)))
        return Data(said, phases, first.classes, validation)

    return train_encoder(
        _AUDIO,
        train_list,
        output,
        load,
        settings=settings,
        run=run,
        recipe={name: getattr(settings, name) for name in RECIPE},
        wrap=lambda encoder: Masked(encoder, settings.mask),
        besides={
            "large_margin": large.model_dump(),
            "folders": {name: folder for name, folder in folders.items() if folder is not None},
        },
    )


def plain_speed(speeds: Sequence[float]) -> int:
    """Return the place of the speed 1 among ``speeds``.

    Raises
    ------
    ConfigError
        If it is not among them.
    """
    if 1.0 not in speeds:
        raise ConfigError(
            f"large-margin fine-tuning goes on with the voices as they are, and the speeds are {list(speeds)}; "
            f"expected 1.0 among them"
        )
    return list(speeds).index(1.0)
