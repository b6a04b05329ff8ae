"""What a run will cost: work, hours and bytes of each stage, as well as they can be known beforehand."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.doctor.rates import (
    CLIP_BYTES_A_SECOND,
    DIMS,
    FACE_BYTES,
    FRAME_BYTES,
    SCORE_EACH_SPEAKER_S,
    SCORE_S,
    SHIPPED,
    WAV_BYTES_A_SECOND,
    Rate,
)
from avsieve.media.frame_names import frames_before

if TYPE_CHECKING:
    from avsieve.config import Config
    from avsieve.sources.findings import SourceFacts

# VoxCeleb2's mean, where nobody knows how long the clips are.
MEAN_S = 7.8


@dataclass
class Cost:
    """One stage: hours are those of all its cores together; None where nobody knows."""

    stage: str
    work: str
    core_h: float | None
    gb: float
    rate: str
    origin: str
    parallel: bool = True
    """Whether more cores make it shorter."""
    files: int = 0
    place: str = "results"
    """Where its bytes lie: ``results`` or ``store``."""

    def hours(self, cores: int) -> float | None:
        """Return the hours on ``cores`` cores."""
        return None if self.core_h is None else self.core_h / (cores if self.parallel else 1)


def two_digits(value: float) -> str:
    """Write a number with the two digits that an estimate has.

    >>> two_digits(1234.0), two_digits(0.01234)
    ('1,200', '0.012')
    """
    if value <= 0 or math.isnan(value):
        return "0"
    digits = 1 - math.floor(math.log10(value))
    rounded = round(value, digits)
    return f"{rounded:,.{max(0, 1 - math.floor(math.log10(rounded)))}f}"


def in_words(hours: float) -> str:
    """Write a time as seconds, minutes, hours or days, with two digits.

    >>> in_words(0.001), in_words(30.0)
    ('3.6 s', '30 h')
    """
    for unit, length in (("d", 48.0), ("h", 1.0), ("min", 1 / 60)):
        if hours >= length:
            return f"{two_digits(hours / (24.0 if unit == 'd' else length))} {unit}"
    return f"{two_digits(hours * 3600)} s"


def estimate(config: Config, facts: SourceFacts, rates: dict[str, Rate], *, gpu: bool) -> list[Cost]:
    """Estimate the stages from the source to the lists.

    Parameters
    ----------
    facts
        What the source knows of its size.
    rates
        Of the stages, as `avsieve.doctor.rates` names them.
    gpu
        Whether the embedding would run on CUDA, for which no figures ship.
    """
    count = facts.utterances
    if not count:
        return []
    kind, both = config.source.kind, config.source.modalities == "both"
    seconds = facts.seconds or count * MEAN_S
    frames = count * frames_before(seconds / count, config.media.interval_s) if both else 0
    costs = [] if kind == "embeddings" else [_fetch(config, facts, seconds, rates)]
    if kind != "embeddings":
        sound = two_digits(seconds / 3600) + " h of clips"
        images = f"{two_digits(frames)} frames"
        kept = frames if config.media.keep_frames else 0
        costs.append(
            _cost("extract", sound, seconds, rates["extract"], "s of clip",
                  seconds * WAV_BYTES_A_SECOND + kept * FRAME_BYTES, files=4 * config.shards)
        )  # fmt: skip
        if both:
            costs.append(_cost("align", images, frames, rates["align"], "frame", frames * FACE_BYTES, gpu=gpu))
        audio, visual = config.audio, config.visual
        parts = seconds / min(audio.segment_hop_s, audio.segment_s) if audio.segment_s else 0
        dim = DIMS.get(audio.arch, 256)
        runs = 2 if audio.segment_s else 1
        costs.append(
            _cost("embed_audio", sound + (", whole and in segments" if runs == 2 else ""), runs * seconds,
                  rates["embed_audio"], "s of sound", count * dim * 4 + parts * dim * 2, gpu=gpu)
        )  # fmt: skip
        if both:
            dim = DIMS["mobileface_small"] if visual.model == "builtin" else 512
            size = count * dim * 4 + frames * dim * 2
            costs.append(
                _cost("embed_visual", images, frames, rates["embed_visual"], "face", size, gpu=gpu)
            )  # fmt: skip
    speakers = max(2, count / 180)  # utterances a speaker in VoxCeleb2
    each = SCORE_S + SCORE_EACH_SPEAKER_S * speakers
    score = _cost("score, clean", f"{count:,} utterances", count, Rate(each, SHIPPED), "utterance", count * 1500)
    score.parallel = False
    return [*costs, score]


def _fetch(config: Config, facts: SourceFacts, seconds: float, rates: dict[str, Rate]) -> Cost:
    count = facts.utterances or 0
    if config.source.kind == "synthetic":
        work = f"{two_digits(seconds)} s of clips"
        return _cost("fetch (render)", work, seconds, rates["fetch"], "s of clip", seconds * CLIP_BYTES_A_SECOND)
    if facts.fetch_bytes is not None or config.source.kind in ("urls", "voxceleb"):
        size = facts.fetch_bytes if facts.fetch_bytes is not None else seconds * CLIP_BYTES_A_SECOND
        return Cost("fetch", f"{count:,} clips", None, size / 1e9, "-", "the network decides", files=count,
                    place="store")  # fmt: skip
    return _cost("fetch", f"{count:,} clips, in place", count, rates["fetch"], "clip", count * 100)


def _cost(
    stage: str, work: str, units: float, rate: Rate, unit: str, size: float, *, gpu: bool = False, files: int = 0
) -> Cost:
    ms = f"{two_digits(1000 * rate.core_s)} ms per {unit}" if rate.core_s >= 1e-4 else (
        f"{two_digits(1e6 * rate.core_s)} µs per {unit}"
    )  # fmt: skip
    origin = f"{rate.origin}; a GPU is faster, nobody measured it" if gpu and "core of" in rate.origin else rate.origin
    return Cost(stage, work, units * rate.core_s / 3600, size / 1e9, ms, origin, files=files)


def totals(costs: list[Cost], cores: int) -> dict[str, float]:
    """Return the hours on ``cores`` cores, and the gigabytes of results and store."""
    return {
        "hours": sum(cost.hours(cores) or 0 for cost in costs),
        "results_gb": sum(cost.gb for cost in costs if cost.place == "results"),
        "store_gb": sum(cost.gb for cost in costs if cost.place == "store"),
    }


def as_json(costs: list[Cost], cores: int) -> list[dict[str, Any]]:
    """Return the costs with their hours on ``cores`` cores."""
    return [asdict(cost) | {"hours": cost.hours(cores)} for cost in costs]


def existing(path: Path) -> Path:
    """Return ``path``, or the nearest folder above it that is there."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
