"""What reviewers say of a plan's clips: labels, and how far the sampled arm has been judged without a gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avsieve.review.draw import CERTAIN
from avsieve.review.entry import ReviewError
from avsieve.review.fold import Folded, fold
from avsieve.review.log import SUFFIX
from avsieve.review.plan import Plan
from avsieve.review.population import Population
from avsieve.review.table import Reviewed


@dataclass(frozen=True)
class Answers:
    """Of the k clips of a plan.

    Attributes
    ----------
    row
        (k,) int64, into the population.
    label
        (k,) float64: 1 wrong, 0 right in the sense of the policy; NaN where that is open.
    judged
        (k,) bool: somebody looked, ``unsure`` or not.
    counted
        (k,) bool: what the figures stand on. Of the certain arm all that was judged; of each stratum of the sampled
        arm the units up to the first one that was not judged whole, since only these are a random sample.
    """

    row: np.ndarray
    label: np.ndarray
    judged: np.ndarray
    counted: np.ndarray

    @property
    def unsure(self) -> int:
        """How many that count were judged and left open."""
        return int((self.counted & np.isnan(self.label)).sum())

    def with_unsure_as(self, value: float) -> Answers:
        """Return the same with what was left open as right (0) or wrong (1)."""
        label = np.where(self.judged & np.isnan(self.label), value, self.label)
        return Answers(self.row, label, self.judged, self.counted)


def read_answers(folder: str | Path) -> Folded:
    """Read what reviewers have said so far; nothing where there is no log yet.

    Raises
    ------
    ReviewError
        If a log cannot be read.
    """
    folder = Path(folder)
    return fold(folder) if folder.is_dir() and any(folder.glob(f"*{SUFFIX}")) else Folded([], [], [])


def answers_to(plan: Plan, population: Population, reviewed: Iterable[Reviewed]) -> Answers:
    """Find the clips of a plan among what was reviewed.

    Raises
    ------
    ReviewError
        If a clip of the plan is none of the population.
    """
    row = rows_of(plan, population)
    said = {r.utterance: r for r in reviewed}
    label, judged = np.full(len(plan), np.nan), np.zeros(len(plan), bool)
    for k, name in enumerate(plan.utterance):
        if (found := said.get(name)) is not None:
            judged[k] = True
            label[k] = population.label(int(row[k]), found.audio, found.visual)
    return Answers(row, label, judged, _counted(plan, judged))


def rows_of(plan: Plan, population: Population) -> np.ndarray:
    """Return the rows of a plan's clips in the population, (k,) int64.

    Raises
    ------
    ReviewError
        If one is not there.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pc.index_in(pa.array(plan.utterance, pa.string()), population.utterance).fill_null(-1).to_numpy()
    if (rows < 0).any():
        first = plan.utterance[int(np.flatnonzero(rows < 0)[0])]
        raise ReviewError(
            f"{first} of the plan has no probability in the decisions; expected a clip that was judged: draw a new "
            "plan (avsieve review RESULTS --plan 200 --new-plan)"
        )
    return np.asarray(rows, np.int64)


def _counted(plan: Plan, judged: np.ndarray) -> np.ndarray:
    whole: dict[tuple[str, str, str], bool] = {}
    for k in range(len(plan)):
        whole[plan.unit(k)] = whole.get(plan.unit(k), True) and bool(judged[k])
    counted, torn = judged.copy(), set()
    for k in range(len(plan)):
        if plan.arm[k] == CERTAIN:
            continue
        if not whole[plan.unit(k)]:
            torn.add(plan.stratum[k])
        counted[k] = plan.stratum[k] not in torn
    return counted
