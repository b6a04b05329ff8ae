"""The table of damages: what a row tells, and how it is written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from avsieve.errors import AvsieveError
from avsieve.evaluation.conditions.contract import (
    BOTH,
    EMBEDDING,
    ENROL,
    MODALITIES,
    OTHER_PERSON,
    SIGNAL,
    TEST,
)
from avsieve.evaluation.conditions.registry import KINDS
from avsieve.evaluation.conditions.stand_ins import STAND_INS
from avsieve.storage.tables import frame_of, open_table, read_arrow, write_table
from avsieve.storage.text_files import parsed_json

_TOLD = ["side", "modality", "kind", "level", "parameters"]

SCHEMA = pa.schema(
    [
        ("condition", pa.string()),
        ("utterance", pa.string()),
        ("side", pa.string()),
        ("modality", pa.string()),
        ("kind", pa.string()),
        ("parameters", pa.string()),
        ("seed", pa.int64()),
        ("level", pa.string()),
        ("version", pa.string()),
    ]
)
"""Sorted by condition, utterance, side and modality, of which there is one row each."""


def write_damage(path: str | Path, table: pa.Table) -> str:
    """Write the table, and return how many rows each condition has, in words."""
    write_table(path, table)
    counts = table["condition"].value_counts().to_pylist()
    return "\n".join(f"{item['values']}: {item['counts']:,} damaged" for item in counts) or "no condition"


class DamageTable:
    """The table of a file, of which one condition at a time is held."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with open_table(self.path, SCHEMA.names) as file:
            self.conditions: list[str] = sorted(file.read(columns=["condition"])["condition"].unique().to_pylist())

    def rows(self, condition: str) -> pd.DataFrame:
        """Return the rows of one condition, ``parameters`` as a dictionary each.

        Raises
        ------
        AvsieveError
            If a row has a kind, a modality or a side that is not known, or parameters that are not its kind's.
        """
        rows = frame_of(read_arrow(self.path, where=("condition", condition)))
        known = {}
        for own in rows[_TOLD].drop_duplicates().itertuples(index=False):
            known[tuple(own)] = _parameters(self.path, condition, *own)
        told = zip(*(rows[name] for name in _TOLD), strict=True)
        return rows.assign(parameters=pd.Series([known[row] for row in told], rows.index, dtype=object))


def parameters_of(where: str, text: str | None) -> dict[str, Any]:
    """Return what a row tells of its damage.

    Raises
    ------
    AvsieveError
        If that is no JSON object.
    """
    try:
        values = parsed_json(text) if isinstance(text, str) and text else {}
    except ValueError as error:
        raise AvsieveError(f"{where}: parameters {text!r:.80}: {error}; expected a JSON object") from error
    if not isinstance(values, dict):
        raise AvsieveError(f"{where}: parameters {text!r:.80}; expected a JSON object")
    return values


def _parameters(
    path: Path, condition: str, side: str, modality: str, kind: str, level: str, text: str | None
) -> dict[str, Any]:
    """Return the parameters of a row, which must be such as its damage needs."""
    where = f"{path}: condition {condition}"
    for name, value, expected in (
        ("side", side, (ENROL, TEST, BOTH)),
        ("modality", modality, MODALITIES),
        ("damage", kind, tuple(KINDS)),
        ("level", level, (SIGNAL, EMBEDDING)),
    ):
        if value not in expected:
            raise AvsieveError(f"{where}: {name} {value!r:.80} is not known; expected one of {', '.join(expected)}")
    values = parameters_of(where, text)
    if kind == OTHER_PERSON and not isinstance(values.get("utterance"), str):
        raise AvsieveError(f"{where}: {kind} with parameters {text!r:.80}; expected the utterance that it is")
    if kind in STAND_INS and level == EMBEDDING:
        similarity = values.get("similarity")
        if not isinstance(similarity, int | float) or not -1 <= similarity <= 1:
            raise AvsieveError(f"{where}: {kind} with parameters {text!r:.80}; expected a similarity from -1 to 1")
        for measure in STAND_INS[kind].measures.values():
            if isinstance(measure, str) and not isinstance(values.get(measure), int | float):
                raise AvsieveError(f"{where}: {kind} with parameters {text!r:.80}; expected a number {measure}")
    return values
