"""The table of damages: what a row tells, and how it is written and read."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa

from avsieve.evaluation.conditions.registry import KINDS
from avsieve.storage.tables import open_table, read_arrow, write_table

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
        ConfigError
            If there is a kind of damage that is not known.
        """
        rows = read_arrow(self.path, where=("condition", condition)).to_pandas()
        for kind in rows["kind"].unique():
            _ = KINDS[kind]
        texts = {text: json.loads(text) for text in rows["parameters"].unique()}
        return rows.assign(parameters=rows["parameters"].map(texts))
