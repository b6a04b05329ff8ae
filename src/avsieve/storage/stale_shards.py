"""Files of shards that a run no longer has, left from one with more of them: told at planning, and never read.

Runs inside Snakemake and imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from avsieve.storage import paths as P
from avsieve.storage.ids import shard_names

# Where a shard has files of its name; logs and benchmarks have a folder for each rule.
FOLDERS = (
    P.plan.shards,
    P.media.folder,
    P.extract.folder,
    P.align.folder,
    P.of(P.embed.folder, modality="audio"),
    P.of(P.embed.folder, modality="visual"),
    P.scores.shards,
    P.damage.folder,
    P.of(P.damage.embedded, modality="audio"),
    P.of(P.damage.embedded, modality="visual"),
    P.twins.folder,
    P.of(P.twins.embedded, modality="audio"),
    P.of(P.twins.embedded, modality="visual"),
)
OF_ROUNDS = (
    str(PurePosixPath(P.of(P.rounds.embeddings, round="*", modality="*")).parent),
    str(PurePosixPath(P.of(P.rounds.shard, round="*")).parent),
)
BY_RULE = (P.LOGS, P.BENCHMARKS)
RECORDED, RECORDED_OF_ROUNDS = (
    tuple(P.record(folder).removesuffix(".json") for folder in folders) for folders in (FOLDERS, OF_ROUNDS)
)


def is_left_over(name: str, names: Iterable[str]) -> bool:
    """Tell whether a file is a shard's, by its name (``007.status.parquet``), and none of the shards ``names``."""
    shard = name.partition(".")[0]
    return len(shard) >= 3 and shard.isascii() and shard.isdigit() and shard not in names


def current(paths: Iterable[Path], shards: int | None) -> list[Path]:
    """Return the files that are not left over; all of them where the number of ``shards`` is not given."""
    names = set() if shards is None else set(shard_names(shards))
    return [path for path in paths if shards is None or not is_left_over(path.name, names)]


def left_over(results: str | Path, shards: int) -> Iterator[Path]:
    """Yield the files below ``results`` of shards beyond the first ``shards``."""
    names = set(shard_names(shards))
    folders = [P.below(results, folder) for folder in (*FOLDERS, *RECORDED)]
    for pattern in (*OF_ROUNDS, *RECORDED_OF_ROUNDS):
        folders += sorted(Path(results).glob(pattern.removeprefix(f"{P.RESULTS}/")))
    for folder in BY_RULE:
        folders += sorted(path for path in P.below(results, folder).glob("*") if path.is_dir())
    for where in folders:
        if where.is_dir():
            yield from sorted(path for path in where.iterdir() if is_left_over(path.name, names))


def remove_left_over(results: str | Path, shards: int) -> int:
    """Remove these files; return how many there were."""
    found = list(left_over(results, shards))
    for path in found:
        path.unlink()
    return len(found)


def told(results: str | Path, shards: int) -> str:
    """Return a line about the files that are left over, with what removes them; empty where there are none."""
    found = list(left_over(results, shards))
    if not found:
        return ""
    names = sorted({path.name.partition(".")[0] for path in found})
    which = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    size = sum(path.stat().st_size for path in found if path.is_file())
    return (
        f"{results} holds {len(found)} files ({size / 1e6:,.1f} MB) of {len(names)} shard{'s' * (len(names) != 1)} "
        f"more than the configuration has (shards: {shards}): {which}. Nothing reads them; "
        "`snakemake --cores 1 remove_old_shards` removes them."
    )
