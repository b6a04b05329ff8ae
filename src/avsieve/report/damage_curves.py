"""DET curves of damaged trials: of all pooled under one threshold, and of each condition by itself."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from avsieve.evaluation.conditions.contract import POOLED
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.registry import MODELS
from avsieve.report.det import det_axes, det_lines, lowest
from avsieve.report.errors import Evaluated, label_of
from avsieve.report.figure import ReportFigure
from avsieve.report.figures import INK, LINES, draw
from avsieve.report.summary import percent
from avsieve.storage import paths as P

# The rows of scores that every fusion model is measured by, and the model of their reliability.
ALWAYS = {"score_average": LINES[2], "calibrated_qmf": LINES[3], "evidence": LINES[4]}
NETWORK = LINES[0]
COLUMNS = 3


@dataclass(frozen=True)
class Line:
    """A model of these plots: trained on the cleansed list where there is one.

    Attributes
    ----------
    eer
        Of the pooled trials, the mean over the seeds.
    """

    model: str
    trained_on: str
    colour: str
    eer: float

    @property
    def label(self) -> str:
        """What it is called."""
        return label_of(self.model)

    def of(self, curves: pd.DataFrame) -> pd.DataFrame:
        """Return its points."""
        return curves[(curves["model"] == self.model) & (curves["trained_on"] == self.trained_on)]


def lines_of(item: Evaluated) -> list[Line]:
    """Return the models to draw, the lowest pooled EER first: those of `ALWAYS`, and the best of the networks."""
    rows = {row["model"]: row for row in item.rows(condition=POOLED)}
    found = [_line(rows[model], colour) for model, colour in ALWAYS.items() if model in rows]
    networks = [
        _line(row, NETWORK) for model, row in rows.items() if model in MODELS and issubclass(MODELS[model], NeuralModel)
    ]
    best = min(networks, key=lambda line: line.eer, default=None)
    return sorted([*found, *([best] if best else [])], key=lambda line: line.eer)


def _figures(row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return on what a model was trained, and its figures: on the cleansed list where it was."""
    arms = (("clean", "after"), ("-", "untrained"), ("all", "before"))
    return next((arm, row[name]) for arm, name in arms if row[name])


def _line(row: dict[str, Any], colour: str) -> Line:
    arm, figures = _figures(row)
    return Line(row["model"], arm, colour, float(figures["eer"]))


def pooled_curves(curves: pd.DataFrame, lines: Sequence[Line]) -> str:
    """Draw the pooled trials of some models, each with its name and its EER at the end of its curve."""
    low = lowest(pd.concat([line.of(curves) for line in lines]))

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        for line in lines:
            det_lines(ax, line.of(curves), low, line.label, color=line.colour)
        det_axes(ax, low)
        _name(ax, {line: _end(line.of(curves), low) for line in lines})

    return draw(paint, 5.4, 3.9, "Detection error trade-off of the damaged and the undamaged trials, pooled")


def _end(points: pd.DataFrame, low: float) -> tuple[float, float]:
    """Return where the curve of the first seed leaves the plot, as deviates."""
    fpr, fnr = (points[name].to_numpy() for name in ("fpr", "fnr"))
    first = slice(int(np.append(np.flatnonzero(np.diff(fpr) < 0) + 1, len(fpr))[0]))
    inside = np.flatnonzero((fpr[first] <= 0.5) & (fnr[first] <= 0.5))
    x, y = (0.5, 0.5) if not len(inside) else (fpr[inside[-1]], fnr[inside[-1]])
    return float(ndtri(max(x, low))), float(ndtri(max(y, low)))


def _name(ax: Axes, ends: dict[Line, tuple[float, float]]) -> None:
    """Write the names to the right of the plot, as high as the curves end where there is room, and a line to each."""
    bottom, top = ax.get_ylim()
    right, gap = ax.get_xlim()[1], 0.13 * (top - bottom)
    ordered = sorted(ends, key=lambda line: (ends[line][1], -line.eer))
    place = bottom + 0.04 * (top - bottom)
    for line in ordered:
        x, y = ends[line]
        place = max(place, y)
        words = "\n".join(textwrap.wrap(f"{line.label}, {percent(line.eer)}\N{NO-BREAK SPACE}%", 20))
        ax.annotate(
            words, (x, y), (right + 0.05 * (top - bottom), place), fontsize=9, va="center", annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": line.colour, "lw": 1.2, "shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5)
            },
        )  # fmt: skip
        place += gap


def condition_curves(item: Evaluated, lines: Sequence[Line], names: Sequence[str]) -> str:
    """Draw a small plot for each condition, all with the same axes and the EER of each model."""
    drawn = {name: item.curves_of(name) for name in names}
    low = lowest(pd.concat([line.of(curves) for curves in drawn.values() for line in lines]))
    n_rows = -(-len(names) // COLUMNS)

    def paint(figure: Figure) -> None:
        grid = figure.subplots(n_rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for ax in grid.flat[len(names) :]:
            ax.set_axis_off()
        for k, (ax, (name, curves)) in enumerate(zip(grid.flat, drawn.items(), strict=False)):
            _condition(ax, {line: line.of(curves) for line in lines}, item.rows(condition=name), low)
            ax.set_title(name, fontsize=9, loc="left", pad=2)
            if k + COLUMNS >= len(names):  # nothing stands below it
                ax.tick_params(labelbottom=True)
        figure.supxlabel("impostors accepted, %", fontsize=9, color=INK)
        figure.supylabel("targets rejected, %", fontsize=9, color=INK)
        marks = [grid[0, 0].plot([], [], color=line.colour, lw=2)[0] for line in lines]
        figure.legend(marks, [line.label for line in lines], fontsize=9, loc="outside upper left", ncols=2)

    return draw(paint, 5.2, 0.9 + 1.55 * n_rows, "Detection error trade-off of each condition by itself")


def _condition(ax: Axes, points: dict[Line, pd.DataFrame], rows: Sequence[dict[str, Any]], low: float) -> None:
    """Draw the curves of a condition, and write the EERs into the corner, where no good model's curve is."""
    eers = {row["model"]: _figures(row)[1]["eer"] for row in rows}
    for k, (line, own) in enumerate(points.items()):
        if len(own):
            det_lines(ax, own, low, line.label, color=line.colour)
            ax.text(
                0.98, 0.98 - 0.13 * k, percent(eers[line.model]), color=line.colour, fontsize=8, fontweight="bold",
                ha="right", va="top", transform=ax.transAxes,
            )  # fmt: skip
    det_axes(ax, low)
    _few_ticks(ax, low)
    ax.set_xlabel("")
    ax.set_ylabel("")


def _few_ticks(ax: Axes, low: float) -> None:
    ticks = [t for t in (1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.4) if t > low]
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ndtri(ticks), [f"{100 * t:g}" for t in ticks], fontsize=8)


def _of_pooled(item: Any) -> str | None:
    """Draw the pooled trials of a list, where it has damaged ones."""
    curves, lines = item.curves_of(POOLED), lines_of(item)
    lines = [line for line in lines if len(line.of(curves))]
    return pooled_curves(curves, lines) if lines else None


def _of_conditions(item: Any) -> str | None:
    """Draw the conditions of a list, one after the other; none of which nothing could be scored."""
    lines = lines_of(item)
    names = [
        condition["name"]
        for condition in item.conditions
        if any(len(line.of(item.curves_of(condition["name"]))) for line in lines)
    ]
    return condition_curves(item, lines, names) if lines and names else None


POOLED_CURVES = ReportFigure(
    "damaged",
    _of_pooled,
    {P.evaluation.curves: "condition pooled: fpr, fnr"},
    narrow=lambda _: True,
    words="All of these trials, with the EERs. Trained models are those of the cleansed list, where there is one; all "
    "seeds but the first are pale. Of the networks the one with the lowest EER on these trials is drawn, so its curve "
    "flatters it. What a model cannot score is left out.",
)
CONDITION_CURVES = ReportFigure(
    "damaged",
    _of_conditions,
    {P.evaluation.curves: "by condition: fpr, fnr"},
    narrow=lambda _: True,
    words="The same models on each condition by itself, with their EERs in %.",
)
