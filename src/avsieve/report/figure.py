"""The contract of a figure of the report: where it stands, and what draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Place = Literal["trials", "damaged", "compared", "compared_curves", "similarities"]
"""Where a figure may stand: with each list of trials; with the damaged trials of the first list; above and below the
tables about the encoders that were trained on both lists; among the similarities."""
PLACES: tuple[Place, ...] = get_args(Place)
OF_A_LIST: tuple[Place, ...] = ("trials", "damaged")
"""Places whose figures are given a list of trials; those of the others are given the run."""


def _never(_: Any) -> bool:
    return False


@dataclass(frozen=True)
class ReportFigure:
    """A figure; those of a place stand in the order of `avsieve.report.registry.FIGURES`.

    Attributes
    ----------
    place
        Where it stands.
    draw
        What it shows -> SVG, as `avsieve.report.figures.draw` returns it, or None where there is nothing to show. It is
        given the `avsieve.report.run.Run`, and at the places of `OF_A_LIST` a list's
        `avsieve.report.errors.Evaluated`.
    narrow
        Whether it takes half the width of the page; given the same.
    data
        Where its data lie: a path of the results (`avsieve.storage.paths`) -> the columns that it is drawn from, in
        words.
    words
        A paragraph above it, if it needs one.
    """

    place: Place
    draw: Callable[[Any], str | None]
    data: Mapping[str, str]
    narrow: Callable[[Any], bool] = _never
    words: str = ""


@dataclass(frozen=True)
class Plot:
    """A figure that was drawn, for the template; ``data`` are the files of this run and their columns."""

    svg: str
    narrow: bool
    words: str
    data: tuple[tuple[str, str], ...] = ()
