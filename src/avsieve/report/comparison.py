"""What the comparison of lists found, in words and as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from avsieve.report.summary import MODEL_LABELS, percent

SCORE_LABELS = {"raw": "", "as_norm": ", AS-norm"}


def comparison_rows(gains: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of ``comparison.json`` with a ``label`` and a ``verdict``.

    The verdict is ``better``, ``worse`` or ``open``: whether the interval of the EER's gain lies above 0, below it, or
    holds it; ``none`` where no interval was asked for.
    """
    return [
        dict(g)
        | {
            "label": MODEL_LABELS.get(g["system"], g["system"]) + SCORE_LABELS.get(g["scores"], g["scores"]),
            "verdict": _verdict(g.get("eer_gain_low"), g.get("eer_gain_high")),
        }
        for g in gains
    ]


def _verdict(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "none"
    return "better" if low > 0 else "worse" if high < 0 else "open"


_VERDICTS = {"better": "the gain shows", "worse": "it is worse", "open": "no difference can be told", "none": ""}


def comparison_text(facts: Mapping[str, Any], gains: Sequence[Mapping[str, Any]]) -> str:
    """Tell in plain text, at most 100 columns wide, what the same training is worth on either list.

    Parameters
    ----------
    facts
        ``comparison.json``: ``lists``, ``seeds``, the trials and the definition of the EER.
    gains
        Its rows.
    """
    lists, seeds = facts["lists"], facts["seeds"]
    name = "" if facts["trials_version"] == "-" else f"{facts['trials']} {facts['trials_version']}, "
    of = {arm: f"{lists[arm]['utterances']:,}" for arm in ("all", "clean")}
    lines = [
        f"The same networks from the same seeds ({', '.join(map(str, seeds))}), trained on the full list",
        f"({of['all']} utterances) and on the cleansed one ({of['clean']}).",
        f"{name}{facts['n_trials']:,} trials over {facts['n_speakers']:,} speakers.",
        "",
        f"{'EER %':32}{'all':>8}{'cleansed':>10}{'gain':>8}   {'95 % interval':>16}  {'seeds better':>12}",
    ]
    for row in comparison_rows(gains):
        interval = ""
        if row["verdict"] != "none":
            interval = f"{percent(row['eer_gain_low'])} to {percent(row['eer_gain_high'])}"
        better = f"{row['seeds_better']:.0f} of {row['seeds']:.0f}"
        lines.append(
            f"{row['label']:32}{percent(row['eer_all']):>8}{percent(row['eer_clean']):>10}"
            f"{percent(row['eer_gain']):>8}   {interval:>16}  {better:>12}  {_VERDICTS[row['verdict']]}".rstrip()
        )
    lines += ["", f"EER: {facts['eer_definition']}. Intervals: paired, speakers and seeds resampled."]
    if facts["n_speakers"] < 20 or len(seeds) < 5:
        lines.append("With fewer than 20 speakers or 5 seeds they are too narrow.")
    return "\n".join(lines) + "\n"
