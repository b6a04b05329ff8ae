"""What a run left beside its results: failures, times, and what made the shards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from avsieve.storage import paths as P
from avsieve.storage.reasons import DESCRIPTIONS, Reason
from avsieve.storage.tables import frame_of, open_table

_EMBED = [P.of(P.embed.folder, modality=modality) for modality in ("audio", "visual")]
STAGES = [Path(folder).name for folder in (P.media.folder, P.extract.folder, P.align.folder, *_EMBED)]
"""Stages with status tables, in the order of the pipeline."""


def read_failures(paths: Sequence[Path]) -> pd.DataFrame:
    """Gather the rows of status tables that are not ok, each utterance by the first stage that it failed in.

    Returns
    -------
    pandas.DataFrame
        ``utterance``, ``stage`` (the table's folder), ``code``, ``detail``, ``meaning``, ``later`` (number of further
        stages that had nothing to work on, in consequence), sorted by stage and utterance.
    """
    parts = []
    for path in paths:
        with open_table(path, ["utterance", "code", "detail"]) as file:
            table = file.read(columns=["utterance", "code", "detail"])
        bad = table.filter(pc.not_equal(table["code"], Reason.OK.value))  # few of many, so before pandas has them
        if len(bad):
            parts.append(frame_of(bad).assign(stage=path.parent.name))
    columns = ["utterance", "stage", "code", "detail", "meaning", "later"]
    if not parts:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(parts, ignore_index=True)
    rows["order"] = rows["stage"].map({name: i for i, name in enumerate(STAGES)}).fillna(len(STAGES))
    rows = rows.sort_values(["utterance", "order", "stage"], kind="stable")
    # Sound and picture fail apart: a cause is the first of its modality's chain, a consequence names what is missing.
    consequence = rows["code"].isin([Reason.NO_FRAMES, Reason.NO_AUDIO, Reason.NO_FACES])
    first = rows.groupby("utterance").cumcount() == 0
    kept = rows[first | ~consequence]
    later = (consequence & ~first).groupby(rows["utterance"]).sum()
    kept = kept.assign(
        meaning=kept["code"].map({code.value: words for code, words in DESCRIPTIONS.items()}).fillna(""),
        later=kept["utterance"].map(later).astype(int),
    )
    return kept.sort_values(["order", "stage", "utterance"], kind="stable")[columns].reset_index(drop=True)


def read_times(paths: Sequence[Path], utterances: int) -> pd.DataFrame:
    """Add up Snakemake's benchmark tables per rule.

    Parameters
    ----------
    paths
        ``benchmarks/<rule>.tsv`` and ``benchmarks/<rule>/<shard>.tsv``.
    utterances
        Number that a throughput is stated for.

    Returns
    -------
    pandas.DataFrame
        ``rule``, ``jobs``, ``seconds`` (sum over the jobs), ``peak_mb`` (largest resident set), ``per_s`` (utterances a
        second and job slot, for sharded rules; else NaN), in the order of the largest share.
    """
    rows = []
    for path in paths:
        table = pd.read_csv(path, sep="\t", na_values=["NA", "-"])
        sharded = path.parent.name != "benchmarks"
        rows.append(
            {
                "rule": path.parent.name if sharded else path.stem,
                "sharded": sharded,
                "seconds": float(table["s"].sum()),
                "peak_mb": float(table["max_rss"].max()),
            }
        )
    if not rows:
        return pd.DataFrame(columns=["rule", "jobs", "seconds", "peak_mb", "per_s"])
    grouped = (
        pd.DataFrame(rows)
        .groupby("rule", as_index=False)
        .agg(
            jobs=("seconds", "size"), seconds=("seconds", "sum"), peak_mb=("peak_mb", "max"), sharded=("sharded", "any")
        )
    )
    shards = grouped["sharded"] & ~grouped["rule"].str.startswith("train_")
    grouped["per_s"] = (utterances / grouped["seconds"].clip(lower=1e-9)).where(shards)
    return (
        grouped.sort_values(["seconds", "rule"], ascending=[False, True]).drop(columns="sharded").reset_index(drop=True)
    )


@dataclass(frozen=True)
class Provenance:
    """What one stage recorded: settings and versions, with the number of shards that agree on them."""

    stage: str
    shards: int
    variants: int
    facts: list[tuple[str, str]]


def read_provenance(paths: Sequence[Path]) -> list[Provenance]:
    """Read provenance files and join the shards of a stage; ``variants`` above 1 means that they do not agree."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(paths):
        record = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault(record.pop("stage", path.parent.name), []).append(record)
    out = []
    for stage, records in found.items():
        variants = {json.dumps(r, sort_keys=True) for r in records}
        out.append(Provenance(stage, len(records), len(variants), _flatten(records[0])))
    return out


def _flatten(value: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    items = []
    for key, inner in sorted(value.items()):
        if isinstance(inner, dict):
            items += _flatten(inner, f"{prefix}{key}.")
        else:
            items.append((f"{prefix}{key}", json.dumps(inner) if isinstance(inner, list) else str(inner)))
    return items
