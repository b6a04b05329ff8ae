"""The audit of a finished run: the same list, embeddings and settings, found from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from avsieve.cleansing.settings import Cleansing
from avsieve.errors import AvsieveError
from avsieve.storage import paths as P

MODALITIES = ("audio", "visual")


def settings_of_run(summary: Path) -> Cleansing:
    """Return the settings that a run decided with, from its ``summary.json``.

    Raises
    ------
    AvsieveError
        If it has none that this version knows.
    """
    try:
        found = json.loads(summary.read_text(encoding="utf-8"))["settings"]
        return Cleansing.model_validate(found)
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise AvsieveError(f"{summary}: no settings of a cleansing ({error}); cleanse the list again") from None


def embeddings_of_run(results: Path) -> Mapping[str, list[Path]]:
    """Return the tables of embeddings of all shards of a run, modality -> files in the order of the shards.

    Raises
    ------
    AvsieveError
        If there is no plan, or a table is not there.
    """
    shards = sorted(p.stem for p in P.below(results, P.plan.shards).glob("*.parquet"))
    if not shards:
        raise AvsieveError(f"{results}: no plan of shards; run the workflow as far as its lists (snakemake clean)")
    found: dict[str, list[Path]] = {}
    for m in MODALITIES:
        found[m] = [P.below(results, P.embed.embeddings, modality=m, shard=shard) for shard in shards]
        if missing := [path for path in found[m] if not path.is_file()]:
            raise AvsieveError(f"{missing[0]}: no such embeddings; run the workflow as far as them (snakemake embed)")
    return found
