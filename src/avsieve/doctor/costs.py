"""What a run will cost: work, hours and bytes of each stage, as well as they can be known beforehand."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.doctor.damage_costs import FACE_BYTES as DAMAGED_FACE_BYTES
from avsieve.doctor.damage_costs import ROW_S, Damaged, damaged, twins
from avsieve.doctor.formatting import two_digits
from avsieve.doctor.jobs import START_S, Stage, first_stages, last_stages, own_seconds, size_of, trials_of
from avsieve.doctor.rates import (
    CLIP_BYTES_A_SECOND,
    DIMS,
    FRAME_BYTES,
    SHIPPED,
    WAV_BYTES_A_SECOND,
    Rate,
    bytes_a_face,
    segments_of_mean,
)
from avsieve.doctor.round_costs import round_costs
from avsieve.doctor.trial_size import TrialSize
from avsieve.media.frame_names import frames_before

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.sources.findings import SourceFacts

# VoxCeleb2's mean, where nobody knows how long the clips are.
MEAN_S = 7.8


@dataclass
class Cost:
    """One stage: the work of all its cores together, and its jobs; hours are None where nobody knows them."""

    stage: str
    work: str
    core_h: float | None
    """Of the work itself, without the start of the jobs."""
    gb: float
    rate: str
    origin: str
    jobs: int = 1
    """How many jobs share the work: so many cores at most make it shorter."""
    start_s: float = 0.0
    """What each job takes before its work begins."""
    files: int = 0
    place: str = "results"
    """Where its bytes lie: ``results`` or ``store``."""

    def hours(self, cores: int) -> float | None:
        """Return the hours on ``cores`` cores."""
        if self.core_h is None:
            return None
        at_once = max(1, min(cores, self.jobs))
        return self.core_h / at_once + math.ceil(self.jobs / at_once) * self.start_s / 3600

    @property
    def job_h(self) -> float:
        """Hours of one of its jobs."""
        return (self.core_h or 0.0) / max(1, self.jobs) + self.start_s / 3600


def estimate(
    config: Config, facts: SourceFacts, rates: dict[str, Rate], *, gpu: bool, trials: TrialSize | None = None
) -> list[Cost]:
    """Estimate the stages from the plan to the report.

    Parameters
    ----------
    facts
        What the source knows of its size.
    rates
        Of the stages that work on clips, as `avsieve.doctor.rates` names them.
    gpu
        Whether the embedding would run on CUDA, for which no figures ship.
    trials
        Of the lists that the configuration names; None where trials are made.
    """
    if not facts.utterances:
        return []
    size = size_of(config, facts.utterances, facts.speakers)
    trials = trials or trials_of(config, size)
    mean_s = _seconds(facts) / facts.utterances
    faces = frames_before(mean_s, config.media.interval_s)
    harm = damaged(config, trials, mean_s=mean_s, mean_faces=faces)
    lessons = twins(config, size.trained_on, mean_s=mean_s, mean_faces=faces)
    clips = _clips(config, facts, rates, gpu=gpu) if config.source.contract.has_media else []
    plan, *others = [_stage(stage) for stage in first_stages(config, size)]
    costs = [plan, *clips, *others, *_damage(config, harm, "damage", rates, gpu=gpu)]
    costs += _damage(config, lessons, "twins", rates, gpu=gpu)
    costs += [_stage(stage) for stage in last_stages(config, size, trials, harm)]
    for cost in costs:
        # The evidence, the decisions, and what they are made of.
        cost.gb += size.utterances * {"score": 1000, "clean": 500}.get(cost.stage, 0) / 1e9
    _, in_segments = segments_of_mean(config.audio, facts.utterances, _seconds(facts))
    costs[-1:] = [*round_costs(config, costs, _seconds(facts) / (_seconds(facts) + in_segments)), costs[-1]]
    jobs = sum(cost.jobs for cost in costs)
    own = Cost("snakemake", f"{jobs:,} jobs", own_seconds(jobs) / 3600, 0.0, "-", SHIPPED)
    return [*costs, own]


def _clips(config: Config, facts: SourceFacts, rates: dict[str, Rate], *, gpu: bool) -> list[Cost]:
    """Estimate the stages that work on clips."""
    count, both = facts.utterances or 0, "visual" in config.source.contract.modalities
    seconds = _seconds(facts)
    frames = count * frames_before(seconds / max(count, 1), config.media.interval_s) if both else 0
    jobs, audio = config.shards, config.audio
    sound = two_digits(seconds / 3600) + " h of clips"
    images = f"{two_digits(frames)} frames"
    kept = frames if config.media.keep_frames else 0
    # Frames that are not kept go to the detector in the same job.
    joined = both and not config.media.keep_frames
    costs = [
        _fetch(config, facts, seconds, rates),
        _cost("extract", sound, seconds, rates["extract"], "s of clip",
              seconds * WAV_BYTES_A_SECOND + kept * FRAME_BYTES, jobs=jobs, files=4 * jobs,
              start_s=START_S["extract, align" if joined else "extract"]),
    ]  # fmt: skip
    if both:
        costs.append(
            _cost("align", images, frames, rates["align"], "frame", frames * bytes_a_face(config), gpu=gpu, jobs=jobs,
                  start_s=0.0 if joined else START_S["align"])
        )  # fmt: skip
    parts, in_segments = segments_of_mean(audio, count, seconds)
    dim = DIMS.get(audio.arch, 256)
    costs.append(
        _cost("embed_audio", sound + (", whole and in segments" if parts else ""), seconds + in_segments,
              rates["embed_audio"], "s of sound", count * dim * 4 + parts * dim * 2, gpu=gpu, jobs=jobs,
              start_s=START_S["embed_audio"])
    )  # fmt: skip
    if both:
        dim = _face_dim(config)
        costs.append(
            _cost("embed_visual", images, frames, rates["embed_visual"], "face",
                  count * dim * 4 + frames * dim * 2, gpu=gpu, jobs=jobs, start_s=START_S["embed_visual"])
        )  # fmt: skip
    return costs


def _seconds(facts: SourceFacts) -> float:
    """Return the length of all clips."""
    return facts.seconds or (facts.utterances or 0) * MEAN_S


def _damage(config: Config, harm: Damaged, what: str, rates: dict[str, Rate], *, gpu: bool) -> list[Cost]:
    """Estimate what is damaged, and embedded again; tars of it are removed once that is done, and counted all the same.

    ``what`` is ``damage`` of the trials, or ``twins`` of training utterances. A job of every shard may wait with its
    tars until there is a core to embed them.
    """
    if not harm.conditions:
        return []
    costs = [_stage(Stage(f"choose {what}", f"{harm.conditions} conditions", ROW_S * harm.rows, 1))]
    if not harm.voices and not harm.of_faces:
        return costs
    jobs, of = config.shards, {"damage": "damaged", "twins": "twin"}[what]
    work = f"{two_digits(harm.voices)} voices, {two_digits(harm.faces)} faces of {two_digits(harm.of_faces)} utterances"
    size = harm.voice_s * WAV_BYTES_A_SECOND + harm.faces * DAMAGED_FACE_BYTES
    name = {"damage": "damage", "twins": "damage twins"}[what]
    costs.append(Cost(name, work, harm.core_s / 3600, size / 1e9, "-", SHIPPED, jobs, START_S["damage"], 8 * jobs))
    if harm.voices:
        parts, in_segments = segments_of_mean(config.audio, round(harm.voices), harm.voice_s)
        dim = DIMS.get(config.audio.arch, 256)
        costs.append(
            _cost(f"embed {of} audio", two_digits(harm.voice_s / 3600) + " h of voices", harm.voice_s + in_segments,
                  rates["embed_audio"], "s of sound", harm.voices * dim * 4 + parts * dim * 2, gpu=gpu, jobs=jobs,
                  start_s=START_S["embed_audio"])
        )  # fmt: skip
    if harm.of_faces:
        dim = _face_dim(config)
        costs.append(
            _cost(f"embed {of} visual", f"{two_digits(harm.faces)} faces", harm.faces, rates["embed_visual"], "face",
                  harm.of_faces * dim * 4 + harm.faces * dim * 2, gpu=gpu, jobs=jobs,
                  start_s=START_S["embed_visual"])
        )  # fmt: skip
    return costs


def _face_dim(config: Config) -> int:
    return DIMS["mobileface_small"] if config.visual.model == "builtin" else 512


def _fetch(config: Config, facts: SourceFacts, seconds: float, rates: dict[str, Rate]) -> Cost:
    count, jobs, start_s = facts.utterances or 0, config.shards, START_S["fetch"]
    fetching = config.source.contract.fetching
    if fetching == "rendered":
        return _cost("fetch (render)", f"{two_digits(seconds)} s of clips", seconds, rates["fetch"], "s of clip",
                     seconds * CLIP_BYTES_A_SECOND, jobs=jobs, start_s=start_s)  # fmt: skip
    if facts.fetch_bytes is not None or fetching == "downloaded":
        size = facts.fetch_bytes if facts.fetch_bytes is not None else seconds * CLIP_BYTES_A_SECOND
        return Cost("fetch", f"{count:,} clips", None, size / 1e9, "-", "the network decides", files=count, jobs=jobs,
                    place="store")  # fmt: skip
    return _cost("fetch", f"{count:,} clips, in place", count, rates["fetch"], "clip", count * 100, jobs=jobs,
                 start_s=start_s)  # fmt: skip


def _stage(stage: Stage) -> Cost:
    return Cost(stage.name, stage.work, stage.core_s / 3600, 0.0, "-", SHIPPED, stage.jobs, START_S[stage.name])


def _cost(
    stage: str, work: str, units: float, rate: Rate, unit: str, size: float, *, jobs: int, start_s: float,
    gpu: bool = False, files: int = 0,
) -> Cost:  # fmt: skip
    ms = f"{two_digits(1000 * rate.core_s)} ms per {unit}" if rate.core_s >= 1e-4 else (
        f"{two_digits(1e6 * rate.core_s)} µs per {unit}"
    )  # fmt: skip
    origin = f"{rate.origin}; a GPU is faster, nobody measured it" if gpu and "core of" in rate.origin else rate.origin
    return Cost(stage, work, units * rate.core_s / 3600, size / 1e9, ms, origin, jobs, start_s, files)


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
