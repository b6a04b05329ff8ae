"""What an overlap found, as a table, a list, and plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.overlap.people import People
from avsieve.overlap.search import Overlap
from avsieve.storage.atomic import write_text

FORMAT = "avsieve.overlap/1"


@dataclass(frozen=True)
class Pair:
    """Two labels, one of each corpus, and the probability that they are one person.

    ``similarity`` has per modality the cosine of the centres, None where one has none.
    """

    speaker_a: str
    speaker_b: str
    probability: float
    similarity: dict[str, float | None]
    utterances_a: int
    utterances_b: int
    examples_a: list[str]
    examples_b: list[str]


@dataclass(frozen=True)
class Compared:
    """How a modality was compared: ``measure`` is two-covariance or cosine.

    ``slope`` and ``offset`` are of the calibration; ``same`` and ``different`` count the pairs that it was learned
    from, and ``duplicates`` those of the different ones that seem to be one person.
    """

    modality: str
    measure: str
    slope: float
    offset: float
    same: int
    different: int
    duplicates: float


@dataclass(frozen=True)
class OverlapFacts:
    """What was found.

    Attributes
    ----------
    a, b
        The corpora.
    speakers_a, speakers_b
        How many labels each has.
    pairs_compared
        Pairs that have a modality in common.
    shared, shared_low, shared_high
        Expected number of people of A that are in B, and where it lies with 95 % if the probabilities are right.
        Errors of their calibration are not in it: on simulated corpora with wrong labels it often misses, low.
    excluded
        Speakers of A to leave out, sorted.
    at
        The probability from which they are.
    pairs
        The likeliest first.
    compared
        How each modality was compared, and both together (``both``).
    notes
        What the user should know besides.
    """

    a: str
    b: str
    speakers_a: int
    speakers_b: int
    pairs_compared: int
    shared: float
    shared_low: int
    shared_high: int
    excluded: list[str]
    at: float
    pairs: list[Pair]
    compared: list[Compared]
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return {"format": FORMAT, **asdict(self)}


def overlap_facts(
    names: tuple[str, str], a: People, b: People, found: Overlap, *, at: float = 0.5, least: float = 0.01
) -> OverlapFacts:
    """Describe an overlap.

    Parameters
    ----------
    names
        Of the corpora.
    at
        Probability from which a speaker of A is to be left out: that of being anyone of B.
    least
        Probability from which a pair is listed.
    """
    pairs = []
    for k in np.flatnonzero(found.probability >= least):
        i, j = int(found.a[k]), int(found.b[k])
        likeness = {m: None if np.isnan(s[k]) else round(float(s[k]), 4) for m, s in found.similarity.items()}
        heard_a, heard_b = (int(max(p.utterances[m][x] for m in found.learned)) for p, x in ((a, i), (b, j)))
        value, examples = round(float(found.probability[k]), 4), (a.examples[i], b.examples[j])
        pairs.append(Pair(a.speaker[i], b.speaker[j], value, likeness, heard_a, heard_b, *examples))
    ways = [(m, x.pairs.measure, x.calibration) for m, x in found.learned.items()]
    if found.together is not None:
        ways.append(("both", "sum", found.together))
    compared = [
        Compared(name, measure, round(c.slope, 4), round(c.offset, 4), c.same, c.different, round(c.duplicates, 1))
        for name, measure, c in ways
    ]
    excluded = [a.speaker[k] for k in np.flatnonzero(found.of_a >= at)]
    shared = found.shared
    return OverlapFacts(
        *names, len(a), len(b), found.compared, round(shared.mean, 2), shared.low, shared.high, excluded, at, pairs,
        compared, _notes(compared),
    )  # fmt: skip


def _notes(compared: list[Compared]) -> list[str]:
    notes = []
    for way in compared:
        if way.measure == "cosine":
            notes.append(
                f"{way.modality}: too few people with several videos to learn how they vary; cosines were taken"
            )
        if way.measure != "sum" and way.same < 20:
            notes.append(
                f"{way.modality}: {way.same} people with two videos or more; probabilities rest on the model alone"
            )
    duplicates = compared[-1].duplicates
    if duplicates >= 1:
        notes.append(
            f"about {duplicates:.0f} pairs inside A or inside B seem to be one person under two labels; the "
            "calibration leaves them out"
        )
    return notes


def write_overlap(folder: Path, facts: OverlapFacts) -> None:
    """Write ``overlap.csv`` and ``exclude.txt``."""
    modalities = [way.modality for way in facts.compared if way.modality != "both"]
    rows = [
        {
            "speaker_a": p.speaker_a,
            "speaker_b": p.speaker_b,
            "probability": f"{p.probability:.4f}",
            **{f"{m}_similarity": "" if (s := p.similarity[m]) is None else f"{s:.4f}" for m in modalities},
            "utterances_a": p.utterances_a,
            "utterances_b": p.utterances_b,
            "examples_a": " ".join(p.examples_a),
            "examples_b": " ".join(p.examples_b),
        }
        for p in facts.pairs
    ]
    head = ["speaker_a", "speaker_b", "probability", *(f"{m}_similarity" for m in modalities)]
    head += ["utterances_a", "utterances_b", "examples_a", "examples_b"]
    write_text(folder / "overlap.csv", pd.DataFrame(rows, columns=head).to_csv(index=False, lineterminator="\n"))
    write_text(folder / "exclude.txt", "".join(f"{name}\n" for name in facts.excluded))
