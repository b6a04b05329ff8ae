"""Find the clips of a folder: they stay where they are, and the media index points to them."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pandas as pd

from avsieve.media.decode import probe_duration_s
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.progress import progress
from avsieve.reasons import Reason
from avsieve.sources.tree.plan import EXTENSIONS
from avsieve.status import StatusTable


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--root", type=Path, required=True, help="folder of the training clips")
    ap.add_argument("--test-root", type=Path, help="folder of the test clips")


def _find(root: Path, stem: str) -> str | None:
    return next((stem + e for e in EXTENSIONS if (root / (stem + e)).is_file()), None)


def fetch(rows: pd.DataFrame, args: argparse.Namespace) -> tuple[pd.DataFrame, StatusTable]:
    """Find the clips of a shard and read their lengths from their headers.

    Parameters
    ----------
    rows
        The shard's part of the plan.

    Returns
    -------
    tuple
        The media index, one row per row of the plan, and the status.
    """
    status = StatusTable("fetch_media")
    found = []
    for row in progress(list(rows.itertuples()), "clips"):
        root = args.root if row.subset == "train" else args.test_root
        name = _find(root, row.path)
        size = (root / name).stat().st_size if name else 0
        duration_s = probe_duration_s(root / name) if name and size else math.nan
        if name is None:
            status.add(row.utterance, Reason.MEDIA_MISSING, f"no {row.path} with one of {', '.join(EXTENSIONS)}")
        elif size == 0:
            status.add(row.utterance, Reason.MEDIA_EMPTY, f"{name}: 0 bytes")
        else:
            status.add(row.utterance)
        found.append(IndexedClip(row.utterance, row.subset, Place(name or row.path, 0, size), duration_s=duration_s))
    return media_table(found), status
