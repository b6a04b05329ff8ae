"""Memory and time that a job asks a cluster for: from the size of its inputs, and more with every attempt.

Runs inside Snakemake. On one machine nothing asks for them. `avsieve doctor --profile` writes better figures, those of
a run that was measured; a profile's ``set-resources`` win over these.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.doctor.encoder_costs import encoder_cost
from avsieve.doctor.fusion_costs import trainings
from avsieve.doctor.joint_costs import training_s
from avsieve.doctor.rates import FACE_BYTES, FRAME_BYTES, WAV_BYTES_A_SECOND, shipped_rates

if TYPE_CHECKING:
    from avsieve.config.model import Config

# Other cores are slower, disks are shared, and clips are longer than the mean.
SAFETY = 3.0
# The start of Snakemake, twice, and of Python, on a busy file system.
START_MIN = 10
# Which count as the job's, too.
SNAKEMAKE_MB = 600
# A download, whose pace is the network's. Also the most that a training asks for, whatever it takes and the attempt: a
# scheduler refuses what no partition allows, and a training goes on from its last state (`retries`).
DAY_MIN = 24 * 60
# A row of a plan or a media index; what a clip has, where nobody knows.
ROW_BYTES, CLIP_S, CLIP_FRAMES = 50, 7.8, 19
# A line of a training list, and the utterances of a speaker: at least.
LINE_BYTES, SPEAKER_UTTERANCES = 25, 20
# Sound is embedded whole, and again in its segments.
PASSES = 2
MB = 1e6
MODELS = Path(__file__).resolve().parents[1] / "models"


@dataclass(frozen=True)
class Need:
    """What a job wants: a fixed part, and a part for each MB of its inputs."""

    mb: int
    """Memory, in MB, packages and networks included, as a small job holds it with room to spare."""
    mb_per_mb: float = 0.0
    s_per_mb: float = 0.0
    """Seconds of a core, as they were measured; `SAFETY` comes on top."""
    fixed_min: int | None = None
    """Minutes, whatever the inputs and the attempt."""
    seconds: Callable[[float], float] | None = None
    """In place of `s_per_mb`: the seconds that so many MB take."""
    most_min: int | None = None
    """Minutes that are never exceeded: the job goes on with the next attempt."""
    of: str = ""
    """The input that counts, by its name in the rule; all of them unless named."""
    time_of: str = ""
    """The one that counts for the time, where it is another."""

    def memory(self, input_mb: float, attempt: int) -> int:
        """Return the memory to ask for, in MB, in hundreds."""
        return 100 * math.ceil((SNAKEMAKE_MB + self.mb + self.mb_per_mb * input_mb) / 100) * attempt

    def minutes(self, input_mb: float, attempt: int) -> int:
        """Return the minutes to ask for."""
        if self.fixed_min is not None:
            return self.fixed_min
        seconds = self.s_per_mb * input_mb if self.seconds is None else self.seconds(input_mb)
        asked = (START_MIN + math.ceil(SAFETY * seconds / 60)) * attempt
        return asked if self.most_min is None else min(asked, self.most_min)


def needs_of(config: Config) -> dict[str, Need]:
    """Return what the jobs of each rule want; rules that are not named have the profile's defaults.

    Seconds are those of a core, by `avsieve.doctor.rates`: on a GPU they are more than enough.
    """
    detector, looks = _file(config.faces.detector, "detector.onnx"), _file(config.visual.model, "faces.onnx")
    shipped = shipped_rates(config, detector, looks)
    rates = {name: rate.core_s for name, rate in shipped.items()}
    sound, frames, faces = MB / WAV_BYTES_A_SECOND, MB / FRAME_BYTES, MB / FACE_BYTES
    clips = MB / ROW_BYTES
    extract = clips * CLIP_S * rates["extract"]
    fetching = config.source.contract.fetching
    fetch = clips * rates["fetch"] * (CLIP_S if fetching == "rendered" else 1)
    downloaded = DAY_MIN if fetching == "downloaded" else None
    training = config.training
    machine_mb = 4000 + 1000 * training.devices * (1 + training.workers)

    def encoder(modality: str) -> Need:
        cost = encoder_cost(config, modality)
        return Need(
            machine_mb, 0.005, seconds=lambda list_mb: cost.seconds(list_mb * MB / LINE_BYTES), most_min=DAY_MIN,
            time_of="list",
        )  # fmt: skip

    def fusion_s(list_mb: float) -> float:
        utterances = math.ceil(list_mb * MB / LINE_BYTES)
        each = trainings(config, utterances, math.ceil(utterances / SPEAKER_UTTERANCES))
        return max((own.core_s for own in each), default=0.0)

    def joint_s(list_mb: float) -> float:
        utterances = math.ceil(list_mb * MB / LINE_BYTES)
        return max((training_s(config, name, utterances) for name in config.fusion.joint), default=0.0)

    table = Need(1500, 2.0, 2.0)
    return {
        "plan_shards": Need(2000, 20.0, fixed_min=4 * 60),
        "fetch_media": Need(1500, 5.0, fetch, downloaded, of="plan"),
        "extract_media": Need(1500, 5.0, extract, of="index"),
        "extract_faces": Need(2500, 5.0, extract + clips * CLIP_FRAMES * rates["align"], of="index"),
        "align_faces": Need(2000, 0.1, frames * rates["align"], of="frames"),
        "embed_audio": Need(4000, 0.5, sound * PASSES * rates["embed_audio"], of="wav"),
        "embed_visual": Need(4000, 0.5, faces * rates["embed_visual"], of="faces"),
        "split_embeddings": table, "split_segments": table,
        "damage_shard": Need(1500, 0.5, 4.0),
        "embed_trial_voices": Need(6000, 0.005, sound * rates["embed_audio"], of="wav"),
        "embed_trial_faces": Need(6000, 0.005, faces * rates["embed_visual"], of="faces"),
        "pool_speakers": Need(1500, 1.0, 0.1),
        # Every utterance meets every speaker, whose centres are the largest input.
        "score_utterances": Need(1500, 3.0, 2.0),
        "merge_scores": Need(1000, 1.0, 0.5),
        "clean_list": Need(2000, 4.0, 1.0),
        "audit_noise": Need(4000, 4.0, 2.0),
        "train_audio": encoder("audio"), "train_visual": encoder("visual"),
        "train_fusion": Need(4000, 2.0, seconds=fusion_s, most_min=DAY_MIN, time_of="list"),
        "train_joint": Need(machine_mb, 0.005, seconds=joint_s, most_min=DAY_MIN, time_of="list"),
        "embed_joint": Need(6000, 0.005, fixed_min=DAY_MIN),
        # An audit of every round, one after another: the embeddings of all of them are its inputs.
        "compare_rounds": Need(4000, 4.0, 2.0),
        "evaluate_fusion": Need(4000, 1.0, fixed_min=DAY_MIN),
        "write_report": Need(4000, 0.01, 0.01),
    }  # fmt: skip


def _file(name: str, shipped: str) -> Path | None:
    """Return the file of a model where it can be told without loading anything; ``builtin`` is the ``shipped`` one."""
    path = MODELS / shipped if name == "builtin" else Path(name)
    return path if os.path.isfile(path) else None  # noqa: PTH113 - raises for a name that can be none


class Needs:
    """What the rules ask for, as their ``resources`` take it.

    Parameters
    ----------
    config
        The configuration.
    """

    def __init__(self, config: Config) -> None:
        self._needs = needs_of(config)

    def __call__(self, rule: str) -> Mapping[str, Callable[..., int]]:
        """Return the resources ``mem_mb`` and ``runtime`` of a rule."""
        need = self._needs[rule]

        def input_mb(files: Any, of: str) -> float:
            # Not `files.size_mb`: while the graph is built Snakemake cannot wait for it, and says so on the terminal.
            counted = getattr(files, of) if of else files
            names = [counted] if isinstance(counted, str) else counted
            return sum(os.stat(str(name)).st_size for name in names) / 2**20  # noqa: PTH116 - its error has the name

        # Snakemake passes what the names of the parameters ask for. While an input is not there yet it takes the error
        # for "to be determined", and asks again when the job begins.
        def mem_mb(wildcards: Any, input: Any, attempt: int) -> int:  # noqa: A002
            return need.memory(input_mb(input, need.of), attempt)

        def runtime(wildcards: Any, input: Any, attempt: int) -> int:  # noqa: A002
            return need.minutes(input_mb(input, need.time_of or need.of), attempt)

        return {"mem_mb": mem_mb, "runtime": runtime}
