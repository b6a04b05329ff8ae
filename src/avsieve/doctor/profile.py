"""A profile for a cluster, with the memory and time that this run's jobs need: measured here where it can be.

It is the workflow's own profile for Slurm with ``set-resources`` for each rule, which win over what the rules ask for
(`avsieve.wiring.needs`). Time is that of the doctor's table, whose rates are measured (``--measure``), an earlier run's
or shipped ones; memory is what jobs of an earlier run held at most, from the benchmarks that Snakemake writes.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.doctor.encoder_costs import encoder_cost
from avsieve.errors import AvsieveError
from avsieve.storage import paths as P
from avsieve.storage.stale_shards import current

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.doctor.costs import Cost
    from avsieve.doctor.rates import Rate

# Other nodes are slower and busier; a job's peak depends on its clips.
TIME_FACTOR, MEMORY_FACTOR = 2.0, 1.5
# What comes on top: Snakemake, which starts twice on the node, and a file system that many use.
START_MIN, SNAKEMAKE_MB = 10, 600
# The most that a training asks for, as the rules have it (`avsieve.wiring.needs`): it goes on with the next attempt.
DAY_MIN = 24 * 60
TRAININGS = {"train_audio", "train_visual"}
# Of a job with a GPU that finds faces, as the rules have it (`avsieve.wiring.rules`).
FACE_THREADS = 4
# Stages of the doctor's table -> the rules whose jobs they are.
RULES = {
    "plan": ["plan_shards"], "fetch": ["fetch_media"], "fetch (render)": ["fetch_media"],
    "extract": ["extract_media"], "align": ["align_faces"], "embed_audio": ["embed_audio"],
    "embed_visual": ["embed_visual"], "split": ["split_embeddings"], "split segments": ["split_segments"],
    "split faces": ["split_frames"], "pool": ["pool_speakers"], "score": ["score_utterances"], "clean": ["clean_list"],
    "audit": ["audit_noise"],
    "train fusion": ["train_fusion"], "train joint": ["train_joint"], "embed joint": ["embed_joint"],
    "evaluate": ["evaluate_fusion"], "report": ["write_report"],
    "damage": ["damage_shard"], "damage twins": ["damage_twins"],
    "embed damaged audio": ["embed_damaged_audio"], "embed damaged visual": ["embed_damaged_visual"],
    "embed twin audio": ["embed_twin_audio"], "embed twin visual": ["embed_twin_visual"],
    "embed_audio in rounds": ["embed_audio_round"], "embed_visual in rounds": ["embed_visual_round"],
    "pool in rounds": ["pool_speakers_round"], "score in rounds": ["score_utterances_round"],
    "clean in rounds": ["clean_list_round"], "compare rounds": ["compare_rounds"],
}  # fmt: skip
HEAD = """\
# Written by `avsieve doctor --profile`: the profile for Slurm, with the needs of {what}.
# snakemake --workflow-profile {folder} --configfile …
# Memory is in MB, time in minutes; both grow with each attempt. docs/clusters.md tells what else to set.
"""


@dataclass
class Asked:
    """What a rule's jobs ask for, and where the figures are from."""

    runtime: int | None = None
    mem_mb: int | None = None
    cpus: int | None = 1
    """None for what the rule says."""
    most: int | None = None
    """Minutes that no attempt exceeds."""
    origins: list[str] = field(default_factory=list)


def needs(
    config: Config, costs: Iterable[Cost], utterances: int | None, results: Path, rates: Mapping[str, Rate]
) -> dict[str, Asked]:
    """Return what the jobs of each rule should ask for.

    Parameters
    ----------
    costs
        The doctor's table.
    utterances
        Of the run to come. Memory that a run of another size held tells nothing of it, and is left to the rules.
    results
        Of an earlier run, whose benchmarks tell how much memory its jobs held.
    rates
        Of the stages that work on clips, as the doctor found them.
    """
    joined = config.source.contract.has_media and not config.media.keep_frames
    hours: dict[str, float] = defaultdict(float)
    found: dict[str, Asked] = defaultdict(Asked)
    for cost in costs:
        for rule in RULES.get(cost.stage, []):
            name = "extract_faces" if joined and rule in ("extract_media", "align_faces") else rule
            if cost.core_h is not None:
                # The table knows the sum of all trainings, on both lists: none is longer than those of one list.
                hours[name] += cost.core_h / 2 if rule == "train_fusion" else cost.job_h
                found[name].origins.append(f"time: {cost.origin}")
    for name, job_h in hours.items():
        found[name].runtime = START_MIN + math.ceil(TIME_FACTOR * 60 * job_h)
    for name, (held, jobs) in memory(results, config.shards).items() if planned(results) == utterances else ():
        found[name].mem_mb = 100 * math.ceil((SNAKEMAKE_MB + MEMORY_FACTOR * held) / 100)
        found[name].origins.append(f"memory: {jobs} job{'s' * (jobs != 1)} of an earlier run here")
    for name in {"align_faces", "extract_faces"} & set(found):
        found[name].cpus = FACE_THREADS if config.device.startswith("cuda") else 1
    if "train_fusion" in found:
        found["train_fusion"].most = DAY_MIN
    # What a training of an encoder holds depends on its machine as much as on the data: that is left to the rules.
    return {name: each for name, each in found.items() if name not in TRAININGS} | _trainings(config, utterances, rates)


def _trainings(config: Config, utterances: int | None, rates: Mapping[str, Rate]) -> dict[str, Asked]:
    """Return what the trainings of encoders ask for, which are no part of the table: `snakemake train_encoders`."""
    source = config.source.contract
    if not source.has_media or utterances is None:
        return {}
    found = {}
    for modality in source.modalities:
        cost = encoder_cost(config, modality, rates.get(f"embed_{modality}"))
        minutes = START_MIN + math.ceil(TIME_FACTOR * cost.seconds(utterances) / 60)
        found[f"train_{modality}"] = Asked(minutes, cpus=None, most=DAY_MIN, origins=[f"time: {cost.origin}"])
    return found


def planned(results: Path) -> int | None:
    """Return how many utterances the plan of a run has; None where there is none."""
    from avsieve.storage.tables import row_count

    try:
        return row_count(P.below(results, P.plan.utterances))
    except AvsieveError:
        return None


def memory(results: Path, shards: int | None) -> dict[str, tuple[float, int]]:
    """Return the largest memory that the jobs of each rule held, in MB, and how many jobs tell."""
    held: dict[str, list[float]] = defaultdict(list)
    folder = P.below(results, P.BENCHMARKS)
    for path in [*folder.glob("*.tsv"), *current(folder.glob("*/*.tsv"), shards)]:
        rule = path.stem if path.parent == folder else path.parent.name
        try:
            with path.open(encoding="utf-8", newline="") as handle:
                peaks = [float(row["max_rss"]) for row in csv.DictReader(handle, delimiter="\t")]
        except (OSError, KeyError, ValueError):
            continue  # "NA", of a job that was too short to be looked at
        held[rule] += peaks
    return {rule: (max(peaks), len(peaks)) for rule, peaks in held.items() if peaks}


def _minutes(runtime: int, most: int | None) -> str:
    """Return the minutes of each attempt, as Snakemake evaluates them."""
    if most is None:
        return f"{runtime} * attempt"
    return str(most) if runtime >= most else f"min({most}, {runtime} * attempt)"


def write_profile(
    folder: Path,
    config: Config,
    costs: list[Cost],
    utterances: int | None,
    *,
    rates: Mapping[str, Rate],
    base: Path,
    results: Path,
) -> Path:
    """Write a profile, and return its file.

    Parameters
    ----------
    folder
        Of the profile; made where it is not there.
    config, costs, utterances, results, rates
        As `needs` takes them.
    base
        The profile that it begins with.

    Raises
    ------
    AvsieveError
        If nothing is known of the run, or the folder has a profile that this did not write.
    """
    from avsieve.storage.atomic import write_text

    asked = needs(config, costs, utterances, results, rates)
    if not costs or not asked:
        raise AvsieveError("--profile: what the run will cost is not known before the source can be counted: fix that")
    path = folder / "config.yaml"
    mark = HEAD.partition(":")[0]
    if path.exists() and not path.read_text(encoding="utf-8").startswith(mark):
        raise AvsieveError(f"--profile: {path} is there and was not written by the doctor; name another folder")
    lines = [HEAD.format(what=f"{config.shards} shards", folder=folder)]
    text = base.read_text(encoding="utf-8")
    # The head of the base tells how to call the base.
    lines.append(text[text.index("executor:") :].rstrip())
    lines += ["set-resources:"]
    for name, each in sorted(asked.items()):
        lines += [f"  # {origin}" for origin in dict.fromkeys(each.origins)]
        lines.append(f"  {name}:")
        if each.mem_mb is not None:
            lines.append(f"    mem_mb: {each.mem_mb} * attempt")
        if each.runtime is not None:
            lines.append(f"    runtime: {_minutes(each.runtime, each.most)}")
        if each.cpus is not None:
            lines.append(f"    cpus_per_task: {each.cpus}")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n".join(lines) + "\n")
    return path
