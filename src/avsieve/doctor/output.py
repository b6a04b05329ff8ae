"""The examination on a terminal: a checklist, a table of costs, and the verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from avsieve.doctor.costs import Cost, totals
from avsieve.doctor.formatting import in_words, two_digits

if TYPE_CHECKING:
    from avsieve.doctor.examination import Examination
    from avsieve.sources.findings import Finding

WORDS = {"ok": "ok", "note": "note", "warning": "WARNING", "error": "ERROR"}
COLOURS = {"ok": "32", "note": "36", "warning": "33", "error": "31"}
WIDTH = 118
_INDENT = 10


def shown(done: Examination, *, colour: bool) -> str:
    """Return what a terminal is told.

    Parameters
    ----------
    colour
        Whether the levels are coloured by the terminal's codes.
    """
    parts = [f"configuration: {' + '.join(done.files)}"] if done.files else []
    for name, findings in done.sections:
        parts += ["", name, *(_line(finding, colour) for finding in findings)]
    if done.costs:
        parts += ["", *_table(done.costs, done.cores)]
    elif done.sections:
        parts += ["", "What it will cost is not known before the source can be counted."]
    return "\n".join([*parts, "", _verdict(done)])


def _line(finding: Finding, colour: bool) -> str:
    word = WORDS[finding.level]
    label = f"\033[{COLOURS[finding.level]}m{word}\033[0m" if colour else word
    text = _filled(f"{finding.subject}: {finding.text}", " " * _INDENT, " " * (_INDENT + 2))
    lines = [f"  {label}{' ' * (_INDENT - 2 - len(word))}{text[_INDENT:]}"]
    if finding.remedy:
        indent = " " * (_INDENT + 2)
        lines.append(_filled(f"-> {finding.remedy}", indent, indent + "   "))
    return "\n".join(lines)


def _filled(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _table(costs: list[Cost], cores: int) -> list[str]:
    """Lay out the costs; estimates have two digits."""
    head = ("stage", "work", "rate", f"on {cores} core{'s' * (cores != 1)}", "GB", "rate from")
    rows = [
        (cost.stage, cost.work, cost.rate, "?" if (hours := cost.hours(cores)) is None else in_words(hours),
         two_digits(cost.gb), cost.origin)
        for cost in costs
    ]  # fmt: skip
    sums = totals(costs, cores)
    rows.append(
        ("in all", "", "", in_words(sums["hours"]), two_digits(sums["results_gb"] + sums["store_gb"]), "")
    )  # fmt: skip
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    right = {3, 4}

    def line(row: tuple[str, ...]) -> str:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return ("  " + "  ".join(cells)).rstrip()

    return [
        "What it will cost (estimates, the start of every job included; encoders of your own to train come on top)",
        line(head),
        *map(line, rows),
    ]


def _verdict(done: Examination) -> str:
    counts = Counter(finding.level for finding in done.findings)
    errors, warnings = counts["error"], counts["warning"]
    told = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
    return f"{told}: the run would stop" if errors else f"{told}: ready to run"
