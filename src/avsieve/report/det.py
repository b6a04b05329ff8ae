"""DET curves: both error rates on normal-deviate axes, where the errors of Gaussian scores lie on a straight line."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from avsieve.evaluation.conditions.contract import WHOLE
from avsieve.report.errors import label_of
from avsieve.report.figure import ReportFigure
from avsieve.report.figures import ARM_COLOURS, INK, LINES, draw
from avsieve.storage import paths as P


def lowest(curves: pd.DataFrame) -> float:
    """Return where the axes of a DET plot begin: half of the smallest rate that is shown."""
    rates = curves[["fpr", "fnr"]].to_numpy()
    rates = rates[(rates <= 0.5).all(axis=1)]
    return float(np.clip(rates[rates > 0].min(initial=0.5) / 2, 1e-6, 0.25))


def det_lines(ax: Axes, points: pd.DataFrame, low: float, label: str, **line: Any) -> None:
    """Draw the curves of one model and list; several seeds follow one another, and all but the first are pale."""
    fpr = points["fpr"].to_numpy().clip(low, 1 - low)
    fnr = points["fnr"].to_numpy().clip(low, 1 - low)
    cuts = np.flatnonzero(np.diff(fpr) < 0) + 1  # each starts again at the left
    for k, (x, y) in enumerate(zip(np.split(fpr, cuts), np.split(fnr, cuts), strict=True)):
        inside = (x <= 0.5) & (y <= 0.5)
        own = {"label": label, "alpha": 1.0} if k == 0 else {"alpha": 0.4}
        ax.plot(ndtri(x[inside]), ndtri(y[inside]), lw=1.2, clip_on=False, **line, **own)


def det_curves(curves: pd.DataFrame, on: str = "") -> str:
    """Draw the DET curves on normal-deviate axes, dashed before cleansing; a rate of 0 lies on the edge.

    ``on`` says which trials they are of.
    """
    low, models = lowest(curves), list(dict.fromkeys(curves["model"]))
    styles = {"-": "-", "clean": "-", "all": "--"}

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        unseen = []
        for (model, arm), points in curves.groupby(["model", "trained_on"], sort=False):
            label = label_of(model) + {"all": ", all", "clean": ", cleansed"}.get(arm, "")
            colour = LINES[models.index(model) % len(LINES)]
            if (points[["fpr", "fnr"]].min(axis=1) <= low).all():
                unseen.append(label)
                label = "_"  # no entry of the legend
            det_lines(ax, points, low, label, color=colour, ls=styles.get(arm, "-"))
        det_axes(ax, low)
        if unseen:
            told = textwrap.fill(f"On the axes, with no errors of one sort or the other: {'; '.join(unseen)}", 72)
            ax.set_xlabel(f"{ax.get_xlabel()}\n{told}")
        if len(unseen) < len(curves[["model", "trained_on"]].drop_duplicates()):
            figure.legend(fontsize=8, loc="outside lower center", ncols=3)

    return draw(paint, 5.2, 5.4, f"Detection error trade-off of every model{on and f' on {on}'}")


def arm_curves(curves: pd.DataFrame) -> str:
    """Draw a DET plot for each system with its two lists, dashed before cleansing; every seed is a line."""
    low = lowest(curves)
    arms = {"all": ("trained on all", "before", "--"), "clean": ("trained on the cleansed list", "after", "-")}
    systems = list(dict.fromkeys(curves["model"]))

    def paint(figure: Figure) -> None:
        axes = np.atleast_1d(figure.subplots(1, len(systems), sharex=True, sharey=True))
        for ax, system in zip(axes, systems, strict=True):
            for arm, (label, colour, style) in arms.items():
                points = curves[(curves["model"] == system) & (curves["trained_on"] == arm)]
                det_lines(ax, points, low, label, color=ARM_COLOURS[colour], ls=style)
            det_axes(ax, low)
            ax.set_title(label_of(system), fontsize=10, loc="left")
        for ax in axes[1:]:
            ax.set_ylabel("")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=2)

    return draw(paint, 3.1 * len(systems), 3.9, "Detection error trade-off of each encoder, trained on either list")


def det_axes(ax: Axes, low: float) -> None:
    """Give axes the scales, ticks and grid of a DET plot whose rates begin at ``low`` and end at a half."""
    ticks = [t for t in (1e-5, 1e-4, 1e-3, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4) if t > low]
    names = [f"{100 * t:g}" for t in ticks]
    ax.set_xticks(ndtri(ticks), names)
    ax.set_yticks(ndtri(ticks), names)
    limits = float(ndtri(low)), float(ndtri(0.5))
    ax.set_xlim(*limits)
    ax.set_ylim(*limits)
    ax.plot(limits, limits, color=INK, lw=0.4, alpha=0.5)
    ax.grid(lw=0.3, color=INK, alpha=0.3)
    ax.set_xlabel("impostors accepted, %")
    ax.set_ylabel("targets rejected, %")


def _of_list(item: Any) -> str | None:
    """Draw the curves of a list of trials."""
    curves = item.curves_of(WHOLE)
    return det_curves(curves, item.what) if len(curves) else None


def _of_comparison(run: Any) -> str | None:
    """Draw those of the encoders that were trained on both lists, on the trials that the headline stands on."""
    curves = run.comparison_curves
    if len(curves) and "list" in curves:
        curves = curves[curves["list"] == run.comparison.get("list")]
    return arm_curves(curves) if len(run.comparison_curves) else None


DET_CURVES = ReportFigure("trials", _of_list, {P.evaluation.curves: "condition whole: fpr, fnr"}, narrow=lambda _: True)
ARM_CURVES = ReportFigure(
    "compared_curves",
    _of_comparison,
    {P.comparison.curves: "fpr, fnr"},
    narrow=lambda run: run.comparison_curves["model"].nunique() < 3,
)
