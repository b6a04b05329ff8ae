"""What the comparison of lists found, in words and as rows of a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.evaluation.labels import CAUTION, TRUSTED, in_words
from avsieve.report.errors import label_of
from avsieve.report.significance import VERDICTS, verdict
from avsieve.report.summary import percent
from avsieve.storage.atomic import write_json, write_text
from avsieve.storage.tables import write_table

if TYPE_CHECKING:
    from avsieve.comparison.compare_files import Compared

SCORE_LABELS = {"raw": "", "as_norm": ", AS-norm"}


def comparison_rows(gains: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of ``comparison.json`` with a ``label`` and a ``verdict``.

    The verdict is ``better``, ``worse`` or ``open``: whether the interval of the EER's gain lies above 0, below it, or
    holds it; ``none`` where no interval was asked for.
    """
    return [
        dict(g)
        | {
            "label": label_of(g["system"]) + SCORE_LABELS.get(g["scores"], g["scores"]),
            "verdict": verdict(g.get("eer_gain_low"), g.get("eer_gain_high")),
        }
        for g in gains
    ]


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
    of = {arm: f"{lists[arm]['utterances']:,}" for arm in ("all", "clean")}
    lines = [
        f"The same networks from the same seeds ({', '.join(map(str, seeds))}), trained on the full list",
        f"({of['all']} utterances) and on the cleansed one ({of['clean']}).",
    ]
    told = facts.get("trial_lists") or [facts]
    for item in told:
        lines += ["", *_one_list(item, comparison_rows([g for g in gains if g.get("list") == item.get("list")]))]
    lines += ["", f"EER: {facts['eer_definition']}. Intervals: of the gain, paired, speakers and seeds resampled."]
    if facts["n_speakers"] < 20 or len(seeds) < 5:
        lines.append("With fewer than 20 speakers or 5 seeds they are too narrow.")
    if any(item.get("labels") == TRUSTED for item in told):
        lines += textwrap.wrap(CAUTION, 100)
    return "\n".join(lines) + "\n"


def _one_list(facts: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tell what was found on one list of trials."""
    what = in_words(facts.get("labels", ""), facts.get("list", ""))
    if facts.get("left_out"):
        return textwrap.wrap(f"{what}: left out: {facts['left_out']}", 100)
    name = "" if facts["trials_version"] == "-" else f"{facts['trials']} {facts['trials_version']}, "
    lines = [
        f"{name}{facts['n_trials']:,} trials over {facts['n_speakers']:,} speakers{f': {what}' if what else ''}.",
        f"{'EER %':32}{'all':>8}{'cleansed':>10}{'gain':>8}   {'its 95 % interval':>17}  {'seeds better':>12}",
    ]
    for row in rows:
        interval = ""
        if row["verdict"] != "none":
            interval = f"{percent(row['eer_gain_low'])} to {percent(row['eer_gain_high'])}"
        better = f"{row['seeds_better']:.0f} of {row['seeds']:.0f}"
        lines.append(
            f"{row['label']:32}{percent(row['eer_all']):>8}{percent(row['eer_clean']):>10}"
            f"{percent(row['eer_gain']):>8}   {interval:>17}  {better:>12}  {VERDICTS[row['verdict']]}".rstrip()
        )
    return lines


def write_comparison(found: Compared, table: Path, facts: Path, curves: Path, text: Path) -> str:
    """Write the gains (CSV), all of it (JSON), the DET curves (Parquet) and the text; return the text."""
    records = found.records
    told = comparison_text(found.facts, records)
    gains = found.gains.assign(eer_definition=found.facts["eer_definition"])
    write_text(table, gains.to_csv(index=False, float_format="%.6f", na_rep="-"))
    write_json(facts, found.facts | {"gains": records, "runs": found.runs.to_dict("records"), "text": told})
    write_table(curves, found.curves)
    write_text(text, told)
    return told
