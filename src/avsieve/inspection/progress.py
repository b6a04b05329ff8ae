"""How far a run is, from its files alone: so it is told under any executor, on any machine, while it goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.inspection.failures import Failure, count_failures, status_tables
from avsieve.inspection.run_files import results_folder
from avsieve.inspection.stages import Stage, stages_of
from avsieve.storage import paths as P
from avsieve.storage.tables import row_count

FORMAT = "avsieve.status/1"
"""Name of the structure that `Progress.as_json` returns; a change that breaks readers raises the number."""
QUIET_S = 900.0
"""Seconds without a changed file after which an unfinished run counts as stopped."""
UNMEASURED = frozenset(
    {
        "remove_old_shards",
        "render_people",
        "train_tiny_detector",
        "align_people",
        "train_tiny_faces",
        "train_tiny_audio",
    }
)
"""Rules that leave a log and no benchmark: whether their jobs have ended cannot be told."""
_WINDOW = 64  # shards that the rate is taken from
_PAUSE = 10.0  # a gap of so many median gaps is a pause of the run, no work
_SLACK_S = 2.0  # clocks of file servers

State = Literal["not begun", "running", "stopped", "finished"]


@dataclass(frozen=True)
class StageProgress:
    """A stage.

    Attributes
    ----------
    name
        As its folder is called.
    done, of
        Shards (1 for a stage without): finished, and in all.
    utterances_done, utterances
        The same in utterances; None for a stage without shards.
    shards_per_hour, utterances_per_s
        Rate of the last shards, pauses left out; None where fewer than two are finished.
    left_s
        Seconds left at that rate; None where it is not known.
    last
        When it finished its last shard, seconds since 1970; None where it has none.
    """

    name: str
    done: int
    of: int
    utterances_done: int | None
    utterances: int | None
    shards_per_hour: float | None
    utterances_per_s: float | None
    left_s: float | None
    last: float | None


@dataclass(frozen=True)
class TimeLeft:
    """An estimate of the time that is left, over the unfinished stages of which the rate is known.

    Attributes
    ----------
    least_s
        Seconds that the longest of them takes: all if they go on side by side. None where no rate is known.
    most_s
        Seconds of all of them, as they take one after the other.
    stages
        Names of those that are counted.
    left_out
        Names of the unfinished ones that are not: nothing tells yet how long they take.
    """

    least_s: float | None
    most_s: float | None
    stages: list[str]
    left_out: list[str]


@dataclass(frozen=True)
class Job:
    """A job with a log and no end: running, or broken off.

    Attributes
    ----------
    rule, name
        The rule, and what it was for, such as the shard; empty where the rule has one job.
    changed
        When its log changed last, seconds since 1970.
    log, says
        The log, and its last line.
    """

    rule: str
    name: str
    changed: float
    log: str
    says: str


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    folder
        Of the results.
    state
        ``running`` if a file changed in the last `QUIET_S` seconds, else ``stopped``; ``finished`` if every stage is.
    shards, utterances
        Of the plan; None before it is made.
    changed
        When a file of the results changed last, seconds since 1970; None where there is none.
    now
        When this was told.
    locked
        Whether Snakemake's lock lies beside the results: a run is going on, or was killed.
    left
        How long it takes from here.
    stages, jobs, failures
        See `StageProgress`, `Job` and `avsieve.inspection.failures.Failure`.
    """

    folder: str
    state: State
    shards: int | None
    utterances: int | None
    changed: float | None
    now: float
    locked: bool
    left: TimeLeft
    stages: list[StageProgress]
    jobs: list[Job]
    failures: list[Failure]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return {"format": FORMAT, **asdict(self)}


def progress_of(path: str | Path, *, now: float | None = None, quiet_s: float = QUIET_S) -> Progress:
    """Tell how far a run is.

    Parameters
    ----------
    path
        The results, or the folder that Snakemake runs in.
    now
        Seconds since 1970; the present where not given.
    quiet_s
        Seconds without a changed file after which an unfinished run counts as stopped.

    Raises
    ------
    AvsieveError
        If there is no such folder, or a status table cannot be read.
    """
    path, now = Path(path), time.time() if now is None else now
    if not path.exists() and path.name != P.RESULTS:
        raise AvsieveError(f"{path}: no such folder; name the folder that Snakemake runs in, or its results/")
    if path.exists() and not path.is_dir():
        raise AvsieveError(f"{path}: a file; expected the folder that Snakemake runs in, or its results/")
    folder = results_folder(path)
    if (folder / Path(P.lists.decisions).name).is_file():
        raise AvsieveError(
            f"{folder}: the folder of avsieve cleanse, which has no stages; expected the results of the workflow. "
            f"avsieve inspect {folder} shows what was found"
        )
    rows = _shard_rows(folder)
    stages = [_stage(stage, folder, rows) for stage in stages_of(folder)]
    changed = _last_change(folder)
    done = all(stage.done == stage.of for stage in stages)
    state: State = "finished" if done else "running" if changed is not None and now - changed < quiet_s else "stopped"
    begun = any(P.below(folder, where).is_dir() for where in (P.plan.folder, P.LOGS))
    return Progress(
        folder=str(folder),
        state=state if begun else "not begun",
        shards=len(rows) or None,
        utterances=sum(rows.values()) if rows else None,
        changed=changed,
        now=now,
        locked=any((folder.parent / ".snakemake" / "locks").glob("*.lock")),
        left=time_left(stages),
        stages=stages,
        jobs=[] if state == "finished" else unfinished(folder),
        failures=count_failures(status_tables(folder)),
    )


def time_left(stages: Sequence[StageProgress]) -> TimeLeft:
    """Add up what is left of the stages: between that of the longest one and that of all."""
    unfinished = [stage for stage in stages if stage.done < stage.of or not stage.of]
    known = {stage.name: stage.left_s for stage in unfinished if stage.left_s is not None}
    return TimeLeft(
        least_s=max(known.values(), default=None),
        most_s=sum(known.values()) if known else None,
        stages=list(known),
        left_out=[stage.name for stage in unfinished if stage.name not in known],
    )


def rate_of(times: Sequence[float]) -> float | None:
    """Return how many shards a second are finished, from the times at which they were, pauses left out.

    None for fewer than two, or where all were finished at once.
    """
    gaps = np.diff(np.sort(np.asarray(times, float))[-_WINDOW:])
    if not len(gaps):
        return None
    usual = np.median(gaps[gaps > 0]) if (gaps > 0).any() else 0.0
    worked = gaps[gaps <= _PAUSE * usual]
    return len(worked) / float(worked.sum()) if worked.sum() > 0 else None


def unfinished(folder: Path) -> list[Job]:
    """Return the jobs whose log is newer than the benchmark that Snakemake writes at the end of a job."""
    logs, jobs = P.below(folder, P.LOGS), []
    for log in sorted(logs.glob("**/*.log")):
        inner = log.relative_to(logs).with_suffix("")
        rule = inner.parts[0]
        if rule in UNMEASURED:
            continue
        end = P.below(folder, P.BENCHMARKS) / inner.parent / f"{inner.name}.tsv"
        changed = _mtime(log)
        if changed is not None and (_mtime(end) or 0.0) < changed - _SLACK_S:
            jobs.append(Job(rule, inner.name if len(inner.parts) > 1 else "", changed, str(log), _last_line(log)))
    return jobs


def _stage(stage: Stage, folder: Path, rows: dict[str, int]) -> StageProgress:
    if not stage.sharded:
        when = _mtime(P.below(folder, stage.marker))
        return StageProgress(stage.name, int(when is not None), 1, None, None, None, None, None, when)
    gathered = None if stage.gathered is None else _mtime(P.below(folder, stage.gathered))
    found = {shard: _mtime(P.below(folder, stage.marker, shard=shard)) for shard in rows}
    times = {shard: when for shard, when in found.items() if when is not None}
    finished = set(rows) if gathered is not None else set(times)
    left, rate = len(rows) - len(finished), rate_of(list(times.values()))
    done, total = sum(rows[shard] for shard in finished), sum(rows.values())
    return StageProgress(
        name=stage.name,
        done=len(finished),
        of=len(rows),
        utterances_done=done,
        utterances=total,
        shards_per_hour=None if rate is None else rate * 3600,
        utterances_per_s=None if rate is None or not finished else rate * done / len(finished),
        left_s=0.0 if rows and not left else None if rate is None else left / rate,
        last=max([*times.values(), *([gathered] if gathered is not None else [])], default=None),
    )


def _shard_rows(folder: Path) -> dict[str, int]:
    """Return how many utterances each shard of the plan has, from the ends of its tables."""
    found = {}
    for path in sorted(P.below(folder, P.plan.shards).glob("*.parquet")):
        if ".partial" in path.name:
            continue
        found[path.stem] = row_count(path)
    return found


def _last_change(folder: Path) -> float | None:
    """Return when a file below the results changed last."""
    times = [when for path in folder.rglob("*") if (when := _mtime(path)) is not None and path.is_file()]
    return max(times, default=None)


def _mtime(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:  # not there, or gone in this moment
        return None


def _last_line(path: Path, most: int = 4096) -> str:
    """Return the last line of a log that says something."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - most))
            lines = handle.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
