"""Every fusion model in one table: each list of trials, each condition, and what it is worth against the baselines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from avsieve.evaluation.baselines import BASELINES, beats
from avsieve.evaluation.conditions.contract import POOLED, WHOLE
from avsieve.evaluation.labels import in_words
from avsieve.evaluation.metrics import CALIBRATED, METRICS, Figure
from avsieve.evaluation.results import read_evaluation
from avsieve.fusion.registry import MODELS
from avsieve.report.errors import label_of
from avsieve.report.summary import percent
from avsieve.storage.atomic import write_text

FIGURES: dict[str, Figure] = {**METRICS, **CALIBRATED}
_OF = ["list", "labels", "condition", "model", "trained_on"]
_LISTS = {"-": "–", "all": "full", "clean": "cleansed"}


def read_training(paths: Iterable[Path]) -> pd.DataFrame:
    """Read the provenance of trained models.

    Parameters
    ----------
    paths
        ``models/fusion/{list}/{model}.{seed}.json``.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``trained_on``, ``parameters`` and ``train_s``: means over the seeds.
    """
    rows = [
        {"model": path.name.split(".")[0], "trained_on": path.parent.name}
        | {"parameters": facts.get("parameters"), "train_s": facts.get("seconds")}
        for path in sorted(paths)
        for facts in [json.loads(path.read_text(encoding="utf-8"))]
    ]
    table = pd.DataFrame(rows, columns=["model", "trained_on", "parameters", "train_s"])
    return table.groupby(["model", "trained_on"], as_index=False).mean()


def fusion_table(
    results: pd.DataFrame, against: pd.DataFrame, training: pd.DataFrame, times: pd.DataFrame
) -> pd.DataFrame:
    """Join what a run knows of its fusion models.

    Parameters
    ----------
    results, against
        ``evaluation/results.csv`` and ``evaluation/against.csv``.
    training, times
        `read_training`, and ``evaluation/times.csv``.

    Returns
    -------
    pandas.DataFrame
        A row per list of trials, condition, model and training list, of raw scores of whole utterances: ``seeds``, the
        figures (means over the seeds), per baseline ``eer_against_{baseline}`` (the paired difference of the EER,
        positive: the model is better) with its interval, ``beats`` (empty for the baselines themselves),
        ``parameters``, ``train_s``, ``encode_s``, ``score_s``, ``published``.
    """
    ways = {"protocol": "full", "scores": "raw"}
    results, against = (_chosen(table, ways) for table in (results, against))
    figures = [name for name in FIGURES if name in results]
    counts = [name for name in ("n_trials", "n_targets", "n_missing") if name in results]
    groups = results.groupby(_OF, sort=False, dropna=False)
    # A figure that one seed lacks would be the mean of others.
    table = groups[figures + counts].agg(lambda values: values.mean(skipna=False)).reset_index()
    table.insert(len(_OF), "seeds", groups.size().to_numpy())
    on = ["list", "condition", "model", "trained_on"]
    for baseline in BASELINES:
        name = f"eer_against_{baseline}"
        columns = {"eer_gain": name, "eer_gain_low": f"{name}_low", "eer_gain_high": f"{name}_high"}
        own = against[against["baseline"] == baseline].rename(columns=columns) if len(against) else pd.DataFrame()
        own = own.reindex(columns=[*on, *columns.values()])
        table = table.merge(own.astype(dict.fromkeys(columns.values(), float)), on=on, how="left")
    if len(against):
        table = table.merge(beats(against)[[*on, "beats"]], on=on, how="left")
    else:
        table["beats"] = None
    table.loc[table["model"].isin(BASELINES), "beats"] = None
    table = table.merge(training, on=["model", "trained_on"], how="left")
    if len(times):
        mean = times.groupby(["list", "model", "trained_on"], as_index=False)[["encode_s", "score_s"]].mean()
        table = table.merge(mean, on=["list", "model", "trained_on"], how="left")
    else:
        table = table.assign(encode_s=float("nan"), score_s=float("nan"))
    table["published"] = [_published(model) for model in table["model"]]
    return table


def _chosen(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    for name, value in columns.items():
        if name in table:
            table = table[table[name] == value]
    return table


def _published(model: str) -> str:
    known = MODELS[model].reported if model in MODELS else ()
    return "; ".join(f"{p.figure} ({p.protocol}; {p.source})" for p in known)


def markdown(table: pd.DataFrame) -> str:
    """Write the table as Markdown: the pooled figures, the EER of every condition, what papers report.

    Where there are no damaged trials the whole ones take the place of the pooled.
    """
    lines = ["# Fusion models", ""]
    for name in dict.fromkeys(table["list"]):
        own = table[table["list"] == name]
        conditions = list(dict.fromkeys(own["condition"]))
        shown = POOLED if POOLED in conditions else conditions[0]
        of = own[own["condition"] == shown]
        first = of.iloc[0]
        counts = f"{first['n_trials'] + first['n_missing']:,.0f} trials"
        if missing := int(first["n_missing"]):
            counts += f", {missing:,} of them without a score"
        lines += [f"## {_capital(in_words(first['labels'], name))}", ""]
        lines += [f"{_of_condition(shown)}: {counts}. EER and minDCF in %, Cllr in bits.", ""]
        lines += [*_figures(of), ""]
        if len(conditions) > 1:
            lines += ["EER in % by condition:", "", *_by_condition(own, conditions), ""]
    if published := _published_rows(table):
        lines += ["## Published figures", "", "Of other trials, encoders or training data: not comparable.", ""]
        lines += [*published, ""]
    return "\n".join(lines).rstrip() + "\n"


def _of_condition(name: str) -> str:
    words = {WHOLE: "Undamaged trials", POOLED: "Undamaged and damaged trials pooled, with one threshold"}
    return words.get(name, name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name(row: dict[str, Any]) -> list[str]:
    return [label_of(row["model"]), _LISTS.get(row["trained_on"], row["trained_on"]), f"{row['seeds']:.0f}"]


def _figures(table: pd.DataFrame) -> list[str]:
    names = [name for name in FIGURES if name in table and table[name].notna().any()]
    header = ["model", "trained on", "seeds", *(FIGURES[name].label for name in names)]
    header += [f"EER below that of {label_of(baseline)}" for baseline in BASELINES]
    header += ["beats both", "parameters", "training, s", "encoding, s", "scoring, s"]
    rows = []
    for row in table.to_dict("records"):
        cells = _name(row) + [_value(name, row[name]) for name in names]
        cells += [_difference(row, baseline) for baseline in BASELINES]
        cells.append("" if pd.isna(row["beats"]) else "yes" if row["beats"] else "**no**")
        cells.append("" if pd.isna(row["parameters"]) else f"{row['parameters']:,.0f}")
        cells += ["" if pd.isna(row[name]) else f"{row[name]:.3g}" for name in ("train_s", "encode_s", "score_s")]
        rows.append(cells)
    return _grid(header, rows)


def _value(name: str, value: float) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.3f}" if name == "cllr" else percent(value)


def _difference(row: dict[str, Any], baseline: str) -> str:
    name = f"eer_against_{baseline}"
    if pd.isna(row[name]):
        return ""
    if pd.isna(row[f"{name}_low"]):
        return percent(row[name])
    return f"{percent(row[name])} ({percent(row[f'{name}_low'])} to {percent(row[f'{name}_high'])})"


def _by_condition(table: pd.DataFrame, conditions: Sequence[str]) -> list[str]:
    rows = []
    for _, own in table.groupby(["model", "trained_on"], sort=False):
        eer = dict(zip(own["condition"], own["eer"], strict=True))
        rows.append(_name(own.iloc[0].to_dict()) + [percent(eer.get(c)) if c in eer else "" for c in conditions])
    return _grid(["model", "trained on", "seeds", *conditions], rows)


def _published_rows(table: pd.DataFrame) -> list[str]:
    models = [model for model in dict.fromkeys(table["model"]) if model in MODELS]
    rows = [[label_of(m), p.figure, p.protocol, p.source] for m in models for p in MODELS[m].reported]
    return _grid(["model", "figure", "protocol", "source"], rows) if rows else []


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


def write_fusion_table(
    results: Path, against: Path, times: Path, training: Sequence[Path], *, table: Path, text: Path
) -> str:
    """Read the tables of an evaluation and write the joint one.

    Parameters
    ----------
    results, against, times
        The tables of ``evaluation/``.
    training
        Provenance of the trained models.
    table, text
        CSV and Markdown to write.

    Returns
    -------
    The Markdown.
    """
    joint = fusion_table(
        read_evaluation(results), read_evaluation(against), read_training(training), read_evaluation(times)
    )
    write_text(table, joint.to_csv(index=False, float_format="%.6f"))
    found = markdown(joint) if len(joint) else "# Fusion models\n\nNo list of trials could be scored.\n"
    write_text(text, found)
    return found
