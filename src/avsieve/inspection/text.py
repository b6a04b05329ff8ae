"""Lines for a terminal and for grep: aligned columns, one fact a line, no colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 80
_NAME, _VALUE = 20, 12


def fact(name: str, value: object, words: str = "") -> str:
    """Return one fact: a name, a value, and what it means."""
    return f"{name:<{_NAME}}{_text(value):>{_VALUE}}{f'  {words}' if words else ''}".rstrip()


def columns(head: Sequence[str], rows: Sequence[Sequence[object]], left: Sequence[int] = (0,)) -> list[str]:
    """Return a table with aligned columns.

    Parameters
    ----------
    head
        Names of the columns.
    rows
        Values; None is shown as ``-``, numbers have their thousands apart.
    left
        Columns that are aligned on the left; the last one is not padded there.
    Without rows there are no lines.
    """
    if not rows:
        return []
    texts = [[str(h) for h in head], *([_text(v) for v in row] for row in rows)]
    widths = [max(len(line[k]) for line in texts) for k in range(len(head))]
    return [
        "  ".join(t.ljust(w) if k in left else t.rjust(w) for k, (t, w) in enumerate(zip(line, widths, strict=True)))
        .rstrip()
        for line in texts
    ]  # fmt: skip


def section(title: str, lines: Sequence[str]) -> list[str]:
    """Return lines below a title, with a blank line before; nothing where there are none."""
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def paragraph(text: str, indent: str = "") -> list[str]:
    """Return prose in lines that fit a terminal of 80 columns; long names stay whole."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage."""
    return "-" if share is None or share != share else f"{100 * share:.{digits}f} %"


def probability(value: float | None) -> str:
    """Return a probability or similarity with three decimals, a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.3f}"


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
