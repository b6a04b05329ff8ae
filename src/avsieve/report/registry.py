"""The figures of the report, in the order in which those of a place stand."""

from __future__ import annotations

from avsieve.registry import Registry
from avsieve.report.figure import ReportFigure

FIGURES: Registry[ReportFigure] = Registry(
    "report figure",
    {
        "error_bars": "avsieve.report.figures:ERROR_BARS",
        "det_curves": "avsieve.report.det:DET_CURVES",
        "pooled_curves": "avsieve.report.damage_curves:POOLED_CURVES",
        "condition_curves": "avsieve.report.damage_curves:CONDITION_CURVES",
        "gain_bars": "avsieve.report.figures:GAIN_BARS",
        "arm_curves": "avsieve.report.det:ARM_CURVES",
        "similarity_map": "avsieve.report.similarity_map:SIMILARITY_MAP",
        "similarity_histograms": "avsieve.report.figures:SIMILARITY_HISTOGRAMS",
        "probability_histogram": "avsieve.report.figures:PROBABILITY_HISTOGRAM",
    },
)
