"""Precision and recall of a list, as far as a reviewed plan tells: three answers that stand on three things.

The model-assisted interval believes the method's probabilities as far as the reviews bear them out
(`avsieve.review.interval`). The injection audit breaks labels on purpose and counts (`avsieve.cleansing.audit`). The
bound assumes nothing (`avsieve.review.bounds`). They are never joined: where they disagree, that is the news. Figures
are those of the list as it was when the plan was drawn, before the reviews mended it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from avsieve.inspection.audit_of_run import audit_of
from avsieve.inspection.decided import read_decided
from avsieve.inspection.figures import measured, read_json
from avsieve.inspection.run_files import RunFiles
from avsieve.review.agreement import Agreement, agreement_lines, read_agreements
from avsieve.review.answers import Answers, answers_to, read_answers
from avsieve.review.bounds import assured
from avsieve.review.draw import CERTAIN
from avsieve.review.interval import draw_rates, ends
from avsieve.review.plan import NAME, Plan, check_decisions, read_plan
from avsieve.review.population import Population, read_population
from avsieve.review.sample import Sample, sample_of
from avsieve.review.table import Reviewed

FORMAT = "avsieve.review_estimate/1"
"""Name of the structure that `Estimate.as_json` returns; a change that breaks readers raises the number."""
RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True)
class Range:
    """A share with its 95 % interval; ``value`` and ``high`` are None of a bound from below."""

    low: float
    value: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Estimate:
    """What a plan and its answers tell of a list.

    Attributes
    ----------
    planned, judged, counted, unsure
        Clips of the plan; judged ones; those the figures stand on; those of them that are left open.
    sampled, sampled_counted
        Clips of the sampled arm, and those of them that the figures stand on.
    beyond
        Judged clips of the sampled arm behind a gap: no random sample, and not counted.
    unjudged
        Clips of the list without a probability, about which nothing is said.
    assisted, bound
        ``unsure`` as ``right`` or ``wrong`` -> ``precision`` and ``recall`` -> `Range`; without what is not defined
        (precision where nothing is flagged). ``assisted`` is empty of a method without probabilities.
    audit
        ``precision`` and ``recall`` of the injection audit; empty where there is none.
    agreement
        Of reviewers with each other and with themselves.
    notes
        What to know of it.
    """

    planned: int
    judged: int
    counted: int
    unsure: int
    sampled: int
    sampled_counted: int
    beyond: int
    unjudged: int
    assisted: dict[str, dict[str, Range]]
    bound: dict[str, dict[str, Range]]
    audit: dict[str, Range] = field(default_factory=dict)
    agreement: list[Agreement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return {"format": FORMAT, **_rounded(asdict(self)), "agreement": [a.as_json() for a in self.agreement]}

    def lines(self) -> list[str]:
        """Return it in words: what was judged, a line for each of the three, the agreement, notes."""
        none = "-, the method has no probabilities"
        lines = [
            (
                f"judged              {self.judged:,} of {self.planned:,} clips of the plan; {self.sampled_counted:,} "
                f"of {self.sampled:,} sampled ones count, {self.unsure:,} unsure"
            ),
            f"model-assisted      {_both(self.assisted) or none}",
            f"injection audit     {_figures(self.audit) or '-, there is none (avsieve audit RESULTS)'}",
            f"assuming nothing    {_both(self.bound) or '-'}",
        ]
        lines += [f"agreement           {line}" for line in agreement_lines(self.agreement)]
        return lines + [f"note: {note}" for note in self.notes]


def estimate_run(run: RunFiles, reviews: str | Path, population: Population | None = None) -> Estimate:
    """Return what the plan of a folder of reviews tells of a run; ``population`` is its clips, where they were read.

    Raises
    ------
    ReviewError
        If there is no plan, it was drawn from other decisions, or a log cannot be read.
    AvsieveError
        If a file of the run cannot be read.
    """
    path = Path(reviews) / NAME
    plan = read_plan(path)
    population = read_population(run) if population is None else population
    check_decisions(path, plan, run.decisions, population.decisions_sha256)
    folded = read_answers(reviews)
    found = estimate(plan, population, folded.rows)
    read, misfit = audit_of(run.audit, read_json(run.summary, "the summary"), lambda: read_decided(run.decisions))
    audit = {
        f.name: Range(f.value if f.low is None else f.low, f.value, f.value if f.high is None else f.high)
        for f in measured({} if misfit else read)
        if f.name in ("precision", "recall")
    }
    notes = [*found.notes, *([f"{misfit}; its figures are left out"] if misfit else []), *folded.told]
    return replace(found, audit=audit, agreement=read_agreements(reviews), notes=notes)


def estimate(plan: Plan, population: Population, reviewed: Iterable[Reviewed]) -> Estimate:
    """Return what a plan and its answers tell, without the audit and the agreement.

    Parameters
    ----------
    plan
        As it was drawn from this population.
    population
        The clips that were judged by the method.
    reviewed
        What reviewers said, of other clips too.

    Raises
    ------
    ReviewError
        If the plan does not fit the population.
    """
    answers = answers_to(plan, population, reviewed)
    sampled = np.array([arm != CERTAIN for arm in plan.arm])
    # Without an unsure one both ends are the same.
    ways = {RIGHT: 0.0, WRONG: 1.0} if answers.unsure else {RIGHT: 0.0}
    assisted, bound = {}, {}
    for name, value in ways.items():
        sample = sample_of(plan, population, answers.with_unsure_as(value))
        if population.calibrated:
            assisted[name] = _assisted(population, sample, plan.seed)
        bound[name] = _bound(population, sample)
    if len(ways) == 1:
        assisted, bound = ({RIGHT: of[RIGHT], WRONG: of[RIGHT]} if of else {} for of in (assisted, bound))
    return Estimate(
        planned=len(plan),
        judged=int(answers.judged.sum()),
        counted=int(answers.counted.sum()),
        unsure=answers.unsure,
        sampled=int(sampled.sum()),
        sampled_counted=int((answers.counted & sampled).sum()),
        beyond=int((answers.judged & ~answers.counted).sum()),
        unjudged=population.unjudged,
        assisted=assisted,
        bound=bound,
        notes=_notes(answers, sampled, population),
    )


def _assisted(population: Population, sample: Sample, seed: int) -> dict[str, Range]:
    draws = draw_rates(population, sample, seed)
    found = {}
    for name, values in (("precision", draws.precision()), ("recall", draws.recall())):
        if (three := ends(values)) is not None:
            found[name] = Range(*three)
    return found


def _bound(population: Population, sample: Sample) -> dict[str, Range]:
    fixed = {}
    for side in (True, False):
        wrong = float((population.known[population.flagged == side] == 1).sum())
        left = 0
        for pair in sample.pairs:
            wrong += float(pair.label[population.flagged[pair.seen] == side].sum())
            left += int((population.flagged[pair.rows] == side).sum())
        fixed[side] = (wrong, wrong + left)
    flagged = int(population.flagged.sum())
    return {name: Range(low) for name, low in assured(sample, flagged, len(population) - flagged, fixed).items()}


def _notes(answers: Answers, sampled: np.ndarray, population: Population) -> list[str]:
    notes = []
    if beyond := int((answers.judged & ~answers.counted).sum()):
        notes.append(
            f"{beyond:,} sampled clips were judged behind one that was not, and are no random sample: judge in the "
            "order of the plan"
        )
    if not (answers.counted & sampled).any():
        notes.append("nothing of the sampled arm was judged yet: the interval is what the probabilities say, tempered")
    if population.unjudged:
        notes.append(f"{population.unjudged:,} clips have no probability; the figures are about the others")
    return notes


def _both(of: dict[str, dict[str, Range]]) -> str:
    """Return the figures with unsure ones as right and as wrong: from the lowest end to the highest."""
    if not of:
        return ""
    right, wrong = of[RIGHT], of[WRONG]
    if right == wrong:
        return _figures(right)
    return f"{_figures(right)} (unsure as right); {_figures(wrong)} (unsure as wrong)"


def _figures(of: dict[str, Range]) -> str:
    return ", ".join(f"{name} {_words(item)}" for name, item in of.items())


def _words(item: Range) -> str:
    if item.high is None or item.value is None:
        return f"at least {item.low:.3f}"
    return f"{item.low:.3f} to {item.high:.3f} (about {item.value:.3f})"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
