"""Write what the comparison of rounds found."""

from __future__ import annotations

from pathlib import Path

from avsieve.rounds.compare_files import Rounds
from avsieve.rounds.words import rounds_text
from avsieve.storage.atomic import write_json, write_text
from avsieve.storage.tables import write_table


def write_rounds(found: Rounds, table: Path, facts: Path, utterances: Path, text: Path) -> str:
    """Write the rounds (CSV), all of it (JSON), what they say of each utterance (Parquet) and the text; return it."""
    told = rounds_text(found.facts)
    write_text(table, found.table.to_csv(index=False, float_format="%.6f", na_rep="-"))
    write_json(facts, found.facts | {"text": told})
    write_table(utterances, found.utterances)
    write_text(text, told)
    return told
