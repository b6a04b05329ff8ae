"""What is measured of an utterance, beside what is usual in the corpus and of its speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.inspection.decided import Decided
from avsieve.storage.tables import open_table

_PARTS = {"audio": "voice", "visual": "face"}
_OF_SCORES = {
    "similarity": "{part} to its label",
    "metric_similarity": "{part} to its label, learned",
    "agreement": "{part} to rest of video",
    "other1": "{part} to nearest other",
    "margin": "{part}, label over other",
}
_OF_DECISIONS = {
    "similarity": _OF_SCORES["similarity"],
    "nearest_similarity": _OF_SCORES["other1"],
    "margin": _OF_SCORES["margin"],
}
_QUALITY = {"audio": "voice length, s", "visual": "face quality"}


@dataclass(frozen=True)
class Measure:
    """A number of an utterance.

    Attributes
    ----------
    name, label
        The column, and what it says: similarities are cosines, of the embeddings or ("learned") in the metric that was
        learned from the corpus.
    value
        None where there is none.
    corpus_low, corpus_median, corpus_high
        5, 50 and 95 % quantile of the corpus's clean utterances.
    speaker_median
        Of the speaker's other utterances.
    below
        How many of these ``others`` have a smaller value.
    others
        How many other utterances of the speaker have a value.
    """

    name: str
    label: str
    value: float | None
    corpus_low: float | None
    corpus_median: float | None
    corpus_high: float | None
    speaker_median: float | None
    below: int
    others: int

    @property
    def percentile(self) -> float | None:
        """Percentile among the speaker's others, 0 to 100; None where there are none."""
        return 100 * self.below / self.others if self.others and self.value is not None else None


class Measured:
    """What was measured of all utterances, in the order of the decisions.

    Parameters
    ----------
    decided
        The decisions.
    scores, decisions
        Tables to take the numbers from: the evidence, or where it is not there the decisions.
    only
        Names of the measures without their modality, such as ``similarity``; all of them where not given.

    Raises
    ------
    AvsieveError
        If a table cannot be read.
    """

    def __init__(self, decided: Decided, scores: Path, decisions: Path, only: Sequence[str] | None = None) -> None:
        self._speaker, clean = decided.speaker.code, decided.decision.is_("clean")
        path, labels = (scores, _OF_SCORES) if scores.is_file() else (decisions, _OF_DECISIONS)
        wanted = {
            f"{m}_{name}": text.format(part=part)
            for m, part in _PARTS.items()
            for name, text in labels.items()
            if only is None or name in only
        }
        if only is None or "quality" in only:
            wanted |= {f"{m}_quality": text for m, text in _QUALITY.items()}
        self._labels: dict[str, str] = {}
        self._values: dict[str, np.ndarray] = {}
        self._usual: dict[str, tuple[float | None, ...]] = {}
        with open_table(path, ["utterance"]) as file:
            there = set(file.schema_arrow.names)
            order = _order(file.read(columns=["utterance"])["utterance"], decided.utterance)
            for name, label in wanted.items():
                if name in there:
                    values = file.read(columns=[name])[name].to_numpy()
                    values = values if order is None else np.where(order < 0, np.nan, values[order])
                    if not np.isnan(values).all():
                        self._labels[name], self._values[name] = label, values
                        self._usual[name] = _usual(values[clean & ~np.isnan(values)])

    def of(self, row: int) -> list[Measure]:
        """Return what was measured of an utterance."""
        own = np.flatnonzero(self._speaker == self._speaker[row])
        own = own[own != row]
        found = []
        for name, values in self._values.items():
            low, middle, high = self._usual[name]
            value = float(values[row])
            others = values[own][~np.isnan(values[own])]
            known = not np.isnan(value)
            found.append(
                Measure(
                    name,
                    self._labels[name],
                    value if known else None,
                    low,
                    middle,
                    high,
                    float(np.median(others)) if len(others) else None,
                    int((others < value).sum()) if known else 0,
                    len(others),
                )
            )
        return found


def measures(decided: Decided, row: int, scores: Path, decisions: Path) -> list[Measure]:
    """Return what was measured of one utterance; parameters and errors are those of `Measured`."""
    return Measured(decided, scores, decisions).of(row)


def _usual(values: np.ndarray) -> tuple[float | None, ...]:
    """Return the 5, 50 and 95 % quantile, of nothing None."""
    return tuple(float(x) for x in np.percentile(values, (5, 50, 95))) if len(values) else (None, None, None)


def _order(given: pa.ChunkedArray, wanted: pa.Array) -> np.ndarray | None:
    """Return where in ``given`` each of ``wanted`` is, -1 where it is not; None where both are equal."""
    if len(given) == len(wanted) and given.equals(pa.chunked_array([wanted])):
        return None
    return pc.index_in(wanted, value_set=given.combine_chunks()).fill_null(-1).to_numpy()
