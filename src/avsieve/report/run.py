"""What the report tells of: the tables of a run, and what follows from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from avsieve.cleansing.warning_texts import Warned, warnings_in_words
from avsieve.evaluation.labels import in_words
from avsieve.inspection.decided import PROBABILITIES, Decided, decided_of
from avsieve.report.comparison import comparison_rows
from avsieve.report.corpus import Corpus
from avsieve.report.detection import Detection, compare
from avsieve.report.errors import Evaluated, evaluated_lists
from avsieve.report.facts import Provenance
from avsieve.report.sheet import Row
from avsieve.storage import paths as P


@dataclass(frozen=True)
class Run:
    """Everything that the page tells of; empty tables and None where a run has none.

    Attributes
    ----------
    decisions, summary
        ``lists/decisions.parquet`` and ``lists/summary.json``.
    columns
        The decisions once more, where they were read as columns; else these are made of them.
    corpus
        What the run was made of.
    results, gains, curves
        The tables of ``evaluation/``.
    comparison, comparison_curves
        ``comparison/comparison.json`` and ``comparison/curves.parquet``.
    truth
        The truth table, where it is known.
    failures, times, disk
        See `avsieve.report.facts` and `avsieve.report.disk`.
    rounds
        ``rounds/rounds.json``, where the list was cleansed more than once.
    audit, audit_misfit
        ``audit/audit.json``, where there is one, and why it is not one of this list; empty where it is.
    headline
        The model whose error rate stands at the top: chosen by the configuration, before any figure is known.
    builtin
        Keys of the shipped models that were used on real people, whom they do not know.
    folder
        The results, as the commands of the page name them.
    place
        Where that folder lies on the machine that wrote the page; empty where it is not told.
    certain, close, wrong
        Rows of the contact sheets: surest flags, closest calls, and what the truth contradicts.
    """

    decisions: pd.DataFrame
    summary: dict[str, Any]
    columns: Decided | None = None
    title: str = "AVSieve"
    corpus: Corpus = field(default_factory=Corpus)
    results: pd.DataFrame = field(default_factory=pd.DataFrame)
    gains: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    comparison: dict[str, Any] = field(default_factory=dict)
    comparison_curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    truth: pd.DataFrame | None = None
    failures: pd.DataFrame = field(default_factory=pd.DataFrame)
    times: pd.DataFrame = field(default_factory=pd.DataFrame)
    disk: pd.DataFrame = field(default_factory=pd.DataFrame)
    rounds: dict[str, Any] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    audit_misfit: str = ""
    provenance: Sequence[Provenance] = ()
    headline: str = ""
    builtin: Sequence[str] = ()
    folder: str = P.RESULTS
    place: str = ""
    certain: Sequence[Row] = ()
    close: Sequence[Row] = ()
    wrong: Sequence[Row] = ()

    @cached_property
    def decided(self) -> Decided:
        """The decisions in columns.

        Raises
        ------
        ValueError
            If ``columns`` are those of another table.
        """
        if self.columns is None:
            texts = ("utterance", "speaker", "kind", "suggested_speaker", "decision", "reason")
            columns = {k: pa.array(self.decisions[k].astype(object), pa.string(), from_pandas=True) for k in texts}
            return decided_of(pa.table(columns | {k: self.decisions[k].to_numpy("float32") for k in PROBABILITIES}))
        if len(self.columns) != len(self.decisions):
            raise ValueError(f"columns of {len(self.columns):,} rows with decisions of {len(self.decisions):,}")
        return self.columns

    @cached_property
    def evaluated(self) -> list[Evaluated]:
        """The error rates, a list of trials each; the headline stands on the first."""
        return evaluated_lists(self.results, self.gains, self.curves)

    @property
    def warnings(self) -> list[Warned]:
        """What must not be passed over, and notes."""
        told = [Warned(builtin_words(self.builtin))] if self.builtin else []
        for found in (dict(p.facts) for p in self.provenance if p.stage == "evaluate_fusion"):
            if reason := found.get("left_out"):
                told.append(Warned(f"the evaluation is left out: {reason}"))
            told += [
                Warned(f"no {in_words(item['labels'], item['list'])}: {item['left_out']}", severe=False)
                for item in json.loads(found.get("trial_lists", "[]"))
                if item["left_out"] and not reason
            ]
            prefix = "models_left_out."
            gone = {key.removeprefix(prefix): why for key, why in found.items() if key.startswith(prefix)}
            told += [
                Warned(f"not trained, so not evaluated: {', '.join(k for k in gone if gone[k] == why)} ({why})")
                for why in dict.fromkeys(gone.values())
            ]
        return [*told, *warnings_in_words(self.summary)]

    @cached_property
    def compared(self) -> list[dict[str, Any]]:
        """What the comparison found on the trials that its headline stands on."""
        return self._compared_on(self.comparison.get("list"))

    @cached_property
    def compared_elsewhere(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """What it found on each other list of trials, with that list in words."""
        others = [of for of in self.comparison.get("trial_lists", []) if of["list"] != self.comparison.get("list")]
        found = [(in_words(of["labels"], of["list"]), self._compared_on(of["list"])) for of in others]
        return [(words, rows) for words, rows in found if rows]

    def _compared_on(self, name: str | None) -> list[dict[str, Any]]:
        return [row for row in comparison_rows(self.comparison.get("gains", [])) if row.get("list") == name]

    @cached_property
    def failed(self) -> tuple[int, int]:
        """How many utterances some stage could not use: of the list, and of the people who are only tested."""
        names = set(self.failures["utterance"]) if len(self.failures) else set()
        listed = len(names & set(self.decisions["utterance"]))
        return listed, len(names) - listed

    @property
    def detection(self) -> Detection | None:
        """Counts against the truth."""
        return None if self.truth is None else compare(self.decisions, self.truth)


def builtin_words(keys: Sequence[str]) -> str:
    """Say what shipped models make of the results of a run on real people."""
    return (
        f"{', '.join(keys)}: builtin models, trained on synthetic people for the embedded corpus, know no real face "
        "and no real voice; lists and error rates of this run show whether it works, and nothing about the data"
    )
