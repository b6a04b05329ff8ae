"""What was found, compared with the truth where it is known and with what the method expects of itself."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.errors import ListError
from avsieve.storage.text_files import read_text

# Kind in the decisions -> kind in a truth table, and what people call it.
KINDS = {"video": "video", "audio": "voice", "visual": "face"}
KIND_LABELS = {"video": "whole video", "audio": "voice", "visual": "face"}


@dataclass(frozen=True)
class KindScore:
    """How well one kind of noise was found.

    Attributes
    ----------
    label
        What people call the kind.
    true, found
        Utterances of this kind in the truth, and how many of them were flagged, under whatever kind.
    flagged, wrong
        Utterances flagged as this kind, and how many of them are wrong, in whatever way.
    named
        Of those flagged as this kind, how many are of this kind.
    """

    label: str
    true: int
    found: int
    flagged: int
    wrong: int
    named: int

    @property
    def recall(self) -> float | None:
        """Share of this kind that was found."""
        return self.found / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        """Share of what was flagged as this kind that is wrong."""
        return self.wrong / self.flagged if self.flagged else None


@dataclass(frozen=True)
class Detection:
    """Counts against the truth, over the utterances that could be judged."""

    judged: int
    true: int
    flagged: int
    hits: int
    kinds: list[KindScore]

    @property
    def precision(self) -> float | None:
        """Share of the flagged utterances that are wrong."""
        return self.hits / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        """Share of the wrong utterances that were flagged."""
        return self.hits / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return 2 * self.hits / (self.flagged + self.true) if self.flagged + self.true else None


def read_truth(path: str | Path) -> pd.DataFrame:
    """Read a truth table: ``utterance`` and ``kind`` (``clean``, ``video``, ``voice``, ``face``), and what else it has.

    Raises
    ------
    ListError
        If the file is absent, lacks a column, or has another kind.
    """
    text = read_text(path, "truth table")
    try:
        table = pd.read_csv(io.StringIO(text), sep=None, engine="python", dtype=str) if text.strip() else pd.DataFrame()
    except (pd.errors.ParserError, csv.Error) as error:
        raise ListError(f"{path}: no table ({error}); expected columns utterance and kind") from None
    if missing := {"utterance", "kind"} - set(table.columns):
        raise ListError(f"{path}: no column {sorted(missing)}; found {list(table.columns)}")
    if unknown := set(table["kind"].dropna()) - {"clean", *KINDS.values()}:
        raise ListError(f"{path}: kind {sorted(unknown)[0]!r}; expected clean, {', '.join(KINDS.values())}")
    return table


def judged_rows(decisions: pd.DataFrame) -> np.ndarray:
    """Tell which utterances had evidence to be judged by, (N,) bool."""
    return decisions["p_wrong"].notna().to_numpy()


def with_truth(decisions: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Join the judged utterances with what the truth says of them (``kind_true``).

    An utterance whose voice or face is another's, and which has no embedding of it, could not be judged on that.
    """
    rows = decisions[judged_rows(decisions)].merge(truth[["utterance", "kind"]], on="utterance", suffixes=("", "_true"))
    unseen = [(rows["kind_true"] == KINDS[m]) & rows[f"p_{m}_wrong"].isna() for m in ("audio", "visual")]
    return rows[~(unseen[0] | unseen[1])]


def compare(decisions: pd.DataFrame, truth: pd.DataFrame) -> Detection | None:
    """Count hits over the judged utterances that the truth knows; None where it knows none.

    What lacks a voice or a face is not flagged by that: only ``noisy`` is.
    """
    rows = with_truth(decisions, truth)
    if rows.empty:
        return None
    flagged, wrong = rows["decision"] == "noisy", rows["kind_true"] != "clean"
    kinds = []
    for kind, true_kind in KINDS.items():
        is_kind, is_true = flagged & (rows["kind"] == kind), rows["kind_true"] == true_kind
        kinds.append(
            KindScore(
                KIND_LABELS[kind],
                int(is_true.sum()),
                int((is_true & flagged).sum()),
                int(is_kind.sum()),
                int((is_kind & wrong).sum()),
                int((is_kind & is_true).sum()),
            )
        )
    return Detection(len(rows), int(wrong.sum()), int(flagged.sum()), int((flagged & wrong).sum()), kinds)


def found_wrong(decisions: pd.DataFrame) -> dict[str, int]:
    """Count the flagged utterances per kind."""
    flagged = decisions.loc[(decisions["decision"] == "noisy") & judged_rows(decisions), "kind"]
    return {kind: int((flagged == kind).sum()) for kind in KINDS}


def expectation(summary: dict[str, Any]) -> dict[str, float | None]:
    """Return the precision, recall and F1 that the method expects of itself; None where it does not know."""
    estimated = summary.get("estimated") or {}
    return {name: estimated.get(name) for name in ("precision", "recall", "f1")}
