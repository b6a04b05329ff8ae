"""Error rates for the page and the summary: a row per model and list of trials, every figure with its own interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from avsieve.evaluation.conditions.contract import RESERVED, WHOLE
from avsieve.evaluation.labels import LABELS, in_words
from avsieve.fusion.registry import MODELS
from avsieve.report.significance import verdict

# Systems of the comparison, which are no fusion models.
ENCODER_LABELS = {
    "audio_encoder": "voice encoder",
    "visual_encoder": "face encoder",
    "both_encoders": "both encoders, averaged",
}

# The list that a model was trained on -> what it is called beside the others.
ARMS = {"-": "untrained", "all": "before", "clean": "after"}
# What the headline falls back to where the model that the configuration names first was not evaluated.
FALLBACK = ("score_average", "audio", "visual")


def label_of(system: str) -> str:
    """Return what the report calls a system; one that it does not know keeps its name."""
    return MODELS[system].label if system in MODELS else ENCODER_LABELS.get(system, system)


@dataclass(frozen=True)
class Evaluated:
    """The tables of ``evaluation/`` for one list of trials.

    Attributes
    ----------
    name, labels
        What the results call it, and what its labels stand on (`avsieve.evaluation.labels.LABELS`); empty where the
        tables do not say.
    """

    name: str
    labels: str
    results: pd.DataFrame
    gains: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def what(self) -> str:
        """What it is, in words."""
        return in_words(self.labels, self.name)

    @property
    def first(self) -> dict[str, Any]:
        """The facts of the list: those of its first row, with ``total`` trials, scored or not."""
        row = self.results.iloc[0].to_dict()
        return row | {"total": int(row["n_trials"] + row["n_missing"])}

    @property
    def conditions(self) -> list[dict[str, Any]]:
        """The conditions that damage trials: ``name``, ``total`` trials, scored or not, and ``rows`` by model."""
        if "condition" not in self.results:
            return []
        found = []
        for name, rows in self.results.groupby("condition", sort=False):
            if name not in RESERVED:
                total = int((rows["n_trials"] + rows["n_missing"]).iloc[0])
                by_model = {row["model"]: row for row in self.rows(condition=str(name))}
                found.append({"name": name, "total": total, "rows": by_model})
        return found

    def curves_of(self, condition: str) -> pd.DataFrame:
        """Return the points of the DET curves under a condition, or of the trials as they are (``whole``)."""
        if "condition" in self.curves:
            return self.curves[self.curves["condition"] == condition]
        return self.curves if condition == WHOLE else self.curves.head(0)

    def rows(self, **way: str) -> list[dict[str, Any]]:
        """Return `error_rows` of this list."""
        return error_rows(self.results, self.gains, **way)


def evaluated_lists(results: pd.DataFrame, gains: pd.DataFrame, curves: pd.DataFrame) -> list[Evaluated]:
    """Part the tables by their lists of trials; the one that the headline stands on comes first."""
    if results.empty:
        return []
    if "list" not in results:
        return [Evaluated("", "", results, gains, curves)]
    order = list(LABELS)
    labels_of = results.drop_duplicates("list").set_index("list")["labels"].to_dict()
    # Lists of the same labels stay in the order of the table.
    names = sorted(labels_of, key=lambda name: order.index(labels_of[name]) if labels_of[name] in order else len(order))

    def of(table: pd.DataFrame, name: str) -> pd.DataFrame:
        return table[table["list"] == name] if "list" in table else table

    return [Evaluated(n, labels_of[n], of(results, n), of(gains, n), of(curves, n)) for n in names]


def _chosen(table: pd.DataFrame, way: dict[str, str]) -> pd.DataFrame:
    for column, value in way.items():
        if column in table:
            table = table[table[column] == value]
    return table


def error_rows(
    results: pd.DataFrame,
    gains: pd.DataFrame | None = None,
    condition: str = "whole",
    protocol: str = "full",
    scores: str = "raw",
) -> list[dict[str, Any]]:
    """Return a row per model: its figures before and after cleansing, means over the seeds.

    Keys: ``model``, ``label``; per arm (the values of `ARMS`) the mean of every column of the results, with the number
    of ``seeds``, None where a model has no such arm; ``gain`` with the paired ``eer_gain`` and its ``verdict``, None
    where there is none. Bounds of an interval are those of the figure beside them: of a mean over several seeds they
    come from the gains, and are absent where these have none, since a mean of the seeds' bounds is no interval.
    """
    way = {"condition": condition, "protocol": protocol, "scores": scores}
    chosen = _chosen(results, way)
    paired = _chosen(gains, way) if gains is not None and "model" in gains else pd.DataFrame(columns=["model"])
    rows = []
    for model in dict.fromkeys(chosen["model"]):
        own = paired[paired["model"] == model].to_dict("records")
        gain = {str(k): v for k, v in own[0].items()} if own else {}
        row: dict[str, Any] = {"model": model, "label": label_of(model), "gain": None}
        for arm, name in ARMS.items():
            of_arm = chosen[(chosen["model"] == model) & (chosen["trained_on"] == arm)]
            row[name] = _arm(of_arm, arm, gain) if len(of_arm) else None
        if "eer_gain" in gain:
            row["gain"] = gain | {"verdict": verdict(gain.get("eer_gain_low"), gain.get("eer_gain_high"))}
        rows.append(row)
    return rows


def _arm(rows: pd.DataFrame, arm: str, gain: dict[str, Any]) -> dict[str, Any]:
    """Return the mean of several seeds, with the intervals of that mean."""
    found: dict[str, Any] = {str(k): v for k, v in rows.mean(numeric_only=True).items()} | {"seeds": len(rows)}
    if len(rows) == 1:
        return found
    for bound in [name for name in found if name.endswith(("_low", "_high"))]:
        figure, _, side = bound.rpartition("_")
        value = gain.get(f"{figure}_{arm}_{side}")
        if value is None or pd.isna(value):
            del found[bound]
        else:
            found[bound] = value
    return found


def headline(rows: Sequence[dict[str, Any]], wanted: str = "") -> dict[str, Any] | None:
    """Return the row that the page begins with: that of ``wanted``, else the first of `FALLBACK` that there is.

    The choice is made by the configuration, before anybody has seen a figure: the best of several is too good.
    """
    of = {row["model"]: row for row in rows if row["untrained"] or (row["before"] and row["after"])}
    return next((of[model] for model in (wanted, *FALLBACK) if model in of), None)
