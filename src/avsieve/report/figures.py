"""Figures as inline SVG that follow the page's colours in light and dark."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from avsieve.report.detection import judged_rows
from avsieve.report.figure import ReportFigure
from avsieve.storage import paths as P

# What matplotlib draws in this colour becomes currentColor: axes and text follow the page.
INK = "#123456"
COLOURS = {"clean": "#8a97a8", "video": "#d64545", "audio": "#e0930f", "visual": "#8e5bd6"}
ARM_COLOURS = {"untrained": "#8a97a8", "before": "#d64545", "after": "#1f9d78"}
ARM_SIGNS = {"untrained": "o", "before": "s", "after": "D"}
FLAGGED_HATCH = "////"
LINES = ["#4c86d8", "#d64545", "#8a97a8", "#e0930f", "#1f9d78", "#8e5bd6"]
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "avsieve",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
}


def draw(paint: Callable[[Figure], None], width: float, height: float, label: str) -> str:
    """Let ``paint`` fill a figure of ``width`` x ``height`` inches; return it as SVG that takes the width it is given.

    ``label`` says to those who cannot see it what it shows.

    Equal input gives equal bytes: no date, no random ids.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}, dpi=160)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"font: (\d+(?:\.\d+)?)px [^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    head, body = svg[: svg.index(">")], svg[svg.index(">") :]
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{html.escape(label)}"{body}'


def similarity_histograms(decisions: pd.DataFrame) -> str:
    """Draw the distribution of both similarities, kept against flagged."""
    rows = decisions[judged_rows(decisions)]
    flagged = (rows["decision"] == "noisy").to_numpy()

    def paint(figure: Figure) -> None:
        for ax, (modality, name) in zip(figure.subplots(1, 2), (("audio", "voice"), ("visual", "face")), strict=True):
            values = rows[f"{modality}_similarity"].to_numpy()
            known = ~np.isnan(values)
            if not known.any():
                ax.text(0.5, 0.5, f"no {name}", ha="center", transform=ax.transAxes)
                continue
            edges = np.linspace(values[known].min(), values[known].max() + 1e-6, 41)
            wrong = flagged & (rows["kind"].isin(["video", modality])).to_numpy()
            _bars(ax, values[known & ~wrong], edges, COLOURS["clean"], f"{name} kept")
            _bars(ax, values[known & wrong], edges, COLOURS[modality], f"{name} flagged", FLAGGED_HATCH)
            ax.set_xlabel(f"{name}: similarity to the speaker")
            ax.legend(fontsize=8, loc="upper left")
        figure.axes[0].set_ylabel("utterances")

    return draw(paint, 9.2, 2.8, "Distribution of both similarities, kept and flagged")


def _bars(ax: Axes, values: np.ndarray, edges: np.ndarray, colour: str, label: str, hatch: str | None = None) -> None:
    """Draw a histogram; ``hatch`` tells it from another where colours cannot be told apart."""
    counts, _ = np.histogram(values, edges)
    ax.bar(
        edges[:-1], counts, np.diff(edges), align="edge", facecolor=colour, edgecolor=INK, linewidth=0, alpha=0.75,
        label=label, hatch=hatch,
    )  # fmt: skip


def probability_histogram(decisions: pd.DataFrame) -> str:
    """Draw how sure the decisions are: the probability that a label is wrong, on a logarithmic count."""
    values = decisions["p_wrong"].dropna().to_numpy()

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        edges = np.linspace(0, 1, 41)
        _bars(ax, values[values <= 0.5], edges, COLOURS["clean"], "more likely right")
        _bars(ax, values[values > 0.5], edges, COLOURS["video"], "more likely wrong", FLAGGED_HATCH)
        if len(values):
            ax.set_yscale("log")
        ax.legend(fontsize=8, loc="upper center")
        ax.set_xlabel("probability that voice or face is wrong")
        ax.set_ylabel("utterances")

    return draw(paint, 4.6, 2.8, "Distribution of the probability that a label is wrong")


def error_bars(rows: list[dict[str, Any]]) -> str:
    """Draw the EER of every model with its interval, from `avsieve.report.errors.error_rows`."""

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        for y, row in enumerate(rows):
            arms = [arm for arm in ARM_COLOURS if row[arm]]
            for k, arm in enumerate(arms):
                at = y + 0.24 * (k - (len(arms) - 1) / 2)
                value = row[arm]
                if "eer_low" in value:
                    ax.plot(
                        [100 * value["eer_low"], 100 * value["eer_high"]],
                        [at, at],
                        color=ARM_COLOURS[arm],
                        lw=1.6,
                        alpha=0.6,
                    )
                ax.plot(100 * value["eer"], at, ARM_SIGNS[arm], ms=6, color=ARM_COLOURS[arm], clip_on=False, zorder=3)
        for arm, label in (
            ("untrained", "not trained"),
            ("before", "trained on all"),
            ("after", "trained on the cleansed list"),
        ):
            if any(row[arm] for row in rows):
                ax.plot([], [], f"{ARM_SIGNS[arm]}-", color=ARM_COLOURS[arm], label=label)
        ax.set_yticks(range(len(rows)), [row["label"] for row in rows])
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.set_xlabel("EER, %")
        ax.grid(axis="x", lw=0.3, color=INK, alpha=0.4)
        ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3)

    return draw(paint, 5.4, 0.7 + 0.48 * max(len(rows), 2) + 0.4, "Equal error rate of every model with its interval")


def gain_bars(rows: list[dict[str, Any]]) -> str:
    """Draw what the cleansing is worth to each system: the gain in EER with its interval, nothing at the line of 0."""
    colours = {"better": ARM_COLOURS["after"], "worse": ARM_COLOURS["before"]}

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        ax.axvline(0, color=INK, lw=0.8)
        for at, row in enumerate(rows):
            colour = colours.get(row["verdict"], ARM_COLOURS["untrained"])
            if row["verdict"] != "none":
                ax.plot(
                    [100 * row["eer_gain_low"], 100 * row["eer_gain_high"]], [at, at], color=colour, lw=1.6, alpha=0.6
                )
            ax.plot(100 * row["eer_gain"], at, "o", ms=6, color=colour, clip_on=False, zorder=3)
        ax.set_yticks(range(len(rows)), [row["label"] for row in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlabel("EER trained on all, less EER trained on the cleansed list: points")
        ax.grid(axis="x", lw=0.3, color=INK, alpha=0.4)

    return draw(
        paint, 7.0, 0.7 + 0.36 * max(len(rows), 2), "Gain in equal error rate by the cleansing, with its interval"
    )


def _of_decisions(paint: Callable[[Any], str]) -> Callable[[Any], str | None]:
    """Draw nothing where there are no decisions."""
    return lambda run: paint(run) if len(run.decisions) else None


ERROR_BARS = ReportFigure(
    "trials",
    lambda item: error_bars(item.rows()),
    {P.evaluation.results: "eer, eer_low, eer_high", P.evaluation.gains: "the intervals of means over seeds"},
    narrow=lambda _: True,
)
GAIN_BARS = ReportFigure(
    "compared",
    lambda run: gain_bars(run.compared) if run.comparison else None,
    {P.comparison.table: "eer_gain, eer_gain_low, eer_gain_high"},
)
SIMILARITY_HISTOGRAMS = ReportFigure(
    "similarities",
    _of_decisions(lambda run: similarity_histograms(run.decisions)),
    {P.lists.decisions: "audio_similarity, visual_similarity, decision, kind"},
)
PROBABILITY_HISTOGRAM = ReportFigure(
    "similarities",
    _of_decisions(lambda run: probability_histogram(run.decisions)),
    {P.lists.decisions: "p_wrong"},
    narrow=lambda _: True,
)
