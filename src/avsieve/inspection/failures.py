"""What the stages could not use, counted by reason, from their status tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from avsieve.inspection.run_files import RunFiles
from avsieve.report.facts import STAGES, read_failures
from avsieve.storage import paths as P
from avsieve.storage.reasons import Reason
from avsieve.storage.tables import open_table


@dataclass(frozen=True)
class Failure:
    """Utterances that failed alike.

    Attributes
    ----------
    stage, code, meaning
        Where, why (a reason code), and the code in words.
    count
        How many utterances; each counts for the first stage that it failed in.
    example
        One of them.
    """

    stage: str
    code: str
    count: int
    meaning: str
    example: str


def all_ok(path: Path) -> bool:
    """Tell by the statistics of a status table, without reading its rows, that every code in it is ``ok``."""
    with open_table(path) as file:
        meta = file.metadata
    column = meta.schema.names.index("code") if "code" in meta.schema.names else -1
    for k in range(meta.num_row_groups):
        statistics = meta.row_group(k).column(column).statistics if column >= 0 else None
        if statistics is None or not statistics.has_min_max or {statistics.min, statistics.max} != {Reason.OK.value}:
            return False
    return True


def status_tables(folder: Path) -> list[Path]:
    """Return the status tables of a run's results, in the order of the stages."""
    pattern = P.of(P.media.status, shard="*").rpartition("/")[2]
    return [path for stage in STAGES for path in sorted(P.below(folder, f"{P.RESULTS}/{stage}").glob(pattern))]


def count_failures(tables: Iterable[Path]) -> list[Failure]:
    """Count failures by stage and reason, the most frequent first.

    Raises
    ------
    AvsieveError
        If a table cannot be read.
    """
    rows = read_failures([path for path in tables if not all_ok(path)])
    if rows.empty:
        return []
    grouped = rows.groupby(["stage", "code"], sort=True)
    found = [
        Failure(str(stage), str(code), len(part), str(part["meaning"].iloc[0]), str(part["utterance"].iloc[0]))
        for (stage, code), part in grouped
    ]
    return sorted(found, key=lambda f: (-f.count, f.stage, f.code))


def failures_of(run: RunFiles) -> list[Failure]:
    """Count what failed in a run; nothing where the run has no stages of its own."""
    return count_failures(status_tables(run.folder)) if run.of_workflow else []
