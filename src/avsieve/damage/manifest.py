"""The rows of the table of damages that ask for damaged signals."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from avsieve.damage.kinds import KINDS, OTHERS
from avsieve.errors import AvsieveError
from avsieve.evaluation.conditions.table import parameters_of
from avsieve.settings import Block, filled
from avsieve.storage.tables import read_table

COLUMNS = ["utterance", "modality", "kind", "parameters", "seed", "level", "version"]


class Wanted(NamedTuple):
    """A damaged version of a voice or of the faces of an utterance."""

    version: str
    utterance: str
    kind: str
    parameters: Block
    seed: int

    def draws(self) -> np.random.Generator:
        """Return what decides all that is random in it: its seed alone."""
        return np.random.default_rng(self.seed % 2**64)


def wanted(table: str | Path, utterances: Collection[str]) -> dict[str, list[Wanted]]:
    """Read which damaged versions of some utterances a table asks for.

    Parameters
    ----------
    table
        Parquet with the columns `COLUMNS` at least. Rows of another ``level`` than ``signal``, without a ``version``,
        or of the kinds `OTHERS` ask for none.
    utterances
        Those of a shard.

    Returns
    -------
    dict
        Modality -> versions, by their names, so that the order of the rows changes nothing. Rows that say the same of
        a version (an utterance can stand on both sides of a trial) are one.

    Raises
    ------
    AvsieveError
        If a row has a modality, a kind or parameters that are not known, or rows say different things of a version.
    """
    rows = read_table(table, COLUMNS)
    here = set(utterances)
    asked = (rows["level"] == "signal") & (rows["version"].fillna("") != "") & rows["utterance"].isin(here)
    found: dict[str, dict[str, Wanted]] = {modality: {} for modality in KINDS}
    for row in rows[asked & ~rows["kind"].isin(OTHERS)].itertuples(index=False):
        version = _read(table, row)
        before = found[row.modality].setdefault(version.version, version)
        if before != version:
            raise AvsieveError(
                f"{table}: version {version.version} ({row.modality}) is there twice, as {_told(before)} and as "
                f"{_told(version)}; give each its own name, or run make_damage again"
            )
    return {modality: [versions[name] for name in sorted(versions)] for modality, versions in found.items()}


def _read(table: str | Path, row: pd.Series) -> Wanted:
    where = f"{table}: version {row.version}"
    if row.modality not in KINDS:
        raise AvsieveError(f"{where}: modality {row.modality!r}; expected one of {', '.join(KINDS)}")
    kinds = KINDS[row.modality]
    if row.kind not in kinds:
        raise AvsieveError(
            f"{where}: damage {row.kind!r} of the {row.modality} modality is not known; expected one of "
            f"{', '.join(kinds)}"
        )
    values = parameters_of(where, row.parameters)
    parameters = filled(kinds[row.kind], values, f"{where}: {row.kind}")
    return Wanted(row.version, row.utterance, row.kind, parameters, int(row.seed))


def _told(version: Wanted) -> str:
    return f"{version.kind} {version.parameters.model_dump_json()} of {version.utterance}, seed {version.seed}"
