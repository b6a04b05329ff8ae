"""What a training list says of itself, for the ``check`` modules of all sources and for the doctor."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.lists.corpora import named
from avsieve.lists.layouts import layout_of, listed
from avsieve.sources.findings import Finding

NOTES = {
    "clean": "a cleansed list: its flags are not used, every line is judged anew",
    "split": "VoxCeleb1's identification split: the lines of part 1 train, the others are left out",
    "pairs": "a list without lengths: they are read from the media",
}


def look_at_list(path: str | Path, key: str) -> tuple[pd.DataFrame | None, list[Finding]]:
    """Read a training list and recognise it by its counts.

    Parameters
    ----------
    key
        The key of the configuration that names it, such as ``source.tree.train_list``.

    Returns
    -------
    tuple
        The list as `avsieve.lists.layouts.read_corpus_list` returns it, not to be changed, or None where it cannot be
        read; and what there is to say.
    """
    try:
        frame = listed(path)
        layout = layout_of(path)
    except AvsieveError as error:
        return None, [Finding("error", key, str(error), "fix the list, or leave it out to take every clip")]
    findings = [Finding("ok", key, f"{path}: {named(len(frame), frame['speaker'].nunique())}")]
    if layout in NOTES:
        findings.append(Finding("note", key, NOTES[layout]))
    return frame, findings
