"""What the stages of a run take on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from avsieve.storage import paths as P
from avsieve.storage.stale_shards import current

_BOTH = ("audio", "visual")
FOLDERS = [
    P.plan.folder,
    P.media.folder,
    P.extract.folder,
    P.align.folder,
    *(P.of(P.embed.folder, modality=m) for m in _BOTH),
    str(Path(P.scores.scores).parent),
    P.lists.folder,
    *(P.of(P.damage.embedded, modality=m) for m in _BOTH),
    P.twins.folder,
    *(P.of(P.twins.embedded, modality=m) for m in _BOTH),
    str(Path(P.models.fusion).parents[1]),
    P.evaluation.folder,
]
"""What the report stands on, in the order of the pipeline. What may be made beside it or after it is no part of this:
logs, exports, a comparison, an audit; else a page would change with them."""
_AFTER = {Path(P.evaluation.table).name, Path(P.evaluation.text).name}


def read_disk(results: Path, shards: int | None = None) -> pd.DataFrame:
    """Add up the sizes of the files of each stage.

    Parameters
    ----------
    results
        The folder of the results.
    shards
        Number of shards, so that files of others are not counted; None for all that are there.

    Returns
    -------
    pandas.DataFrame
        ``folder`` (below the results), ``files``, ``bytes``; folders with files alone, in the order of the pipeline.
    """
    rows = []
    for folder in FOLDERS:
        where = P.below(results, folder)
        sizes = list(_sizes(where, shards)) if where.is_dir() else []
        if sizes:
            rows.append({"folder": where.relative_to(results).as_posix(), "files": len(sizes), "bytes": sum(sizes)})
    return pd.DataFrame(rows, columns=["folder", "files", "bytes"])


def _sizes(folder: Path, shards: int | None) -> Iterator[int]:
    for path in current(folder.rglob("*"), shards):
        if path.name in _AFTER or path.name.endswith(".partial"):
            continue
        try:
            if path.is_file():
                yield path.stat().st_size
        except FileNotFoundError:  # Snakemake removes what was needed for a while
            continue


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"
