"""The lists of a comparison: what each arm is trained on, and the cohort that all arms share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.evaluation.segments import evenly
from avsieve.lists.train_list import read_train_list, write_train_list
from avsieve.storage.tables import read_table


def without_held_out(path: str | Path, plan: str | Path) -> pd.DataFrame:
    """Return the rows of a training list, see `avsieve.lists.train_list`, whose speakers are not kept for testing.

    Raises
    ------
    AvsieveError
        If nothing is left.
    """
    rows = read_train_list(path)
    kept = read_table(plan, ["speaker", "held_out"])
    rows = rows[~rows["speaker"].isin(kept.loc[kept["held_out"], "speaker"].unique())]
    if rows.empty:
        raise AvsieveError(f"{path}: all of its speakers are held out for testing; lower evaluation.holdout")
    return rows.reset_index(drop=True)


def thin(rows: pd.DataFrame, per_speaker: int | None) -> pd.DataFrame:
    """Keep at most ``per_speaker`` rows of each ``speaker``, evenly spaced over them, in the order of the list."""
    if per_speaker is None:
        return rows
    keep = [
        places[np.unique(evenly(np.array([len(places)]), per_speaker))]
        for places in rows.groupby("speaker").indices.values()
    ]
    return rows.iloc[np.sort(np.concatenate(keep))].reset_index(drop=True)


def write_arm(path: str | Path, plan: str | Path, out: str | Path, per_speaker: int | None = None) -> str:
    """Write the rows of a list whose speakers are not kept for testing, thinned where ``per_speaker`` is given.

    Returns
    -------
    How much there is, in words.
    """
    rows = thin(without_held_out(path, plan), per_speaker)
    write_train_list(out, rows["utterance"].tolist(), rows["seconds"].tolist())
    return f"{len(rows)} utterances of {rows['speaker'].nunique()} speakers"
