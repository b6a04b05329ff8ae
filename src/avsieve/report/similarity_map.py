"""Voice against face similarity: the points, or a map of how many there are, and where labels are flagged."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke

from avsieve.report.detection import KIND_LABELS, judged_rows, with_truth
from avsieve.report.figure import ReportFigure
from avsieve.report.figures import COLOURS, INK, draw
from avsieve.report.run import Run
from avsieve.storage import paths as P

POINTS = 3000
"""Utterances up to which each is a point; more are counted in cells."""
CELLS = 60
_SHARE_CELLS = 24
# One for each kind, so that colour is not all that tells them apart.
_SIGNS = {"clean": "o", "video": "s", "audio": "^", "visual": "v"}
# Pixels cannot follow the page's colours, so both ends of a scale stand out from light and from dark paper.
_COUNTS = LinearSegmentedColormap.from_list("counts", ["#9db4cf", "#4c86d8", "#a0409a"])
_SHARES = LinearSegmentedColormap.from_list("shares", ["#a5b3c3", "#e0930f", "#d64545"])
_LINE, _HALO = "#000000", "#ffffff"


def similarity_map(decisions: pd.DataFrame, truth: pd.DataFrame | None, *, points: int = POINTS) -> str:
    """Draw where the utterances lie, and beside it which share of each cell is flagged, with the line of one half.

    The decision weighs more than two similarities, so the line is where flags are as frequent as not, and not a rule.
    What lacks a modality lies on the margin. Where the truth is known and each utterance is a point, those that were
    decided against the truth have a ring.
    """
    rows = decisions[judged_rows(decisions)]
    flagged = (rows["decision"] == "noisy").to_numpy()
    x, y = (rows[f"{m}_similarity"].to_numpy(float) for m in ("audio", "visual"))
    known = np.concatenate([v[~np.isnan(v)] for v in (x, y)])
    low = float(known.min()) - 0.05 if len(known) else -1.0
    high = float(known.max()) + 0.02 if len(known) else 1.0
    x, y = np.where(np.isnan(x), low, x), np.where(np.isnan(y), low, y)
    wrong = np.zeros(len(rows), bool)
    if truth is not None:
        compared = with_truth(rows, truth)
        bad = compared["utterance"][(compared["kind_true"] != "clean") != (compared["decision"] == "noisy")]
        wrong = rows["utterance"].isin(bad).to_numpy()

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        if len(rows) <= points:
            _points(left, x, y, np.where(flagged, rows["kind"], "clean"), wrong)
        else:
            edges = np.linspace(low, high, CELLS + 1)
            counts = np.histogram2d(x, y, (edges, edges))[0]
            shown = np.ma.masked_less(counts.T, 1)
            drawn = left.pcolormesh(
                edges, edges, shown, norm=LogNorm(1, max(counts.max(), 2)), cmap=_COUNTS, rasterized=True
            )
            figure.colorbar(drawn, ax=left, label="utterances", shrink=0.8)
        left.set_title("where the utterances lie", fontsize=10, loc="left")
        _shares(figure, right, x, y, flagged, np.linspace(low, high, _SHARE_CELLS + 1))
        right.set_title("which share is flagged; line: one half", fontsize=10, loc="left")
        for ax in (left, right):
            ax.set_xlabel("voice: similarity to the label")
        left.set_ylabel("face: similarity to the label")

    return draw(paint, 9.4, 4.5, "Similarity of voice and of face to the label: where utterances lie and are flagged")


def _points(ax: Axes, x: np.ndarray, y: np.ndarray, kind: np.ndarray, wrong: np.ndarray) -> None:
    for name, colour in COLOURS.items():
        of_kind = kind == name
        if of_kind.any():
            label = f"{KIND_LABELS.get(name, 'kept')} ({of_kind.sum():,})"
            ax.scatter(
                x[of_kind], y[of_kind], s=14, c=colour, marker=_SIGNS[name], alpha=0.5 if name == "clean" else 0.85,
                linewidths=0, label=label, rasterized=True,
            )  # fmt: skip
    if wrong.any():
        told = f"against the truth ({wrong.sum():,})"
        ax.scatter(x[wrong], y[wrong], s=60, facecolors="none", edgecolors=INK, linewidths=0.9, label=told)
    ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, handletextpad=0, columnspacing=0.8)


def _shares(figure: Figure, ax: Axes, x: np.ndarray, y: np.ndarray, flagged: np.ndarray, edges: np.ndarray) -> None:
    counts = np.histogram2d(x, y, (edges, edges))[0]
    hits = np.histogram2d(x[flagged], y[flagged], (edges, edges))[0]
    share = np.ma.masked_where(counts == 0, 100 * hits / np.maximum(counts, 1))
    drawn = ax.pcolormesh(edges, edges, share.T, vmin=0, vmax=100, cmap=_SHARES, rasterized=True)
    figure.colorbar(drawn, ax=ax, label="flagged, %", shrink=0.8)
    if share.count() and share.min() < 50 < share.max():
        middle = (edges[1:] + edges[:-1]) / 2
        # The line lies on cells whose colours stay, so its own stay, too.
        halo: list[AbstractPathEffect] = [withStroke(linewidth=3.4, foreground=_HALO)]
        ax.contour(middle, middle, share.T, levels=[50], colors=[_LINE], linewidths=1.4).set_path_effects(halo)


def _of(run: Run) -> str | None:
    return similarity_map(run.decisions, run.truth) if len(run.decisions) else None


SIMILARITY_MAP = ReportFigure(
    "similarities", _of, {P.lists.decisions: "audio_similarity, visual_similarity, decision, kind"}
)
