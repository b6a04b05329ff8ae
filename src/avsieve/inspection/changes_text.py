"""What changed between two runs or lists, in words."""

from __future__ import annotations

from avsieve.inspection.changes import Changes
from avsieve.inspection.text import columns, fact, percent, section

_LEAST = 0.99  # share of the smaller side that is in the other, below which there is a warning


def change_lines(facts: Changes, *, top: int = 10) -> list[str]:
    """Return what changed; the ``top`` speakers with the most changes."""
    n = max(facts.utterances, 1)
    lines = ["", "changes:", *(f"  {name}: {a} -> {b}" for name, (a, b) in facts.settings.items())]
    for name, count, words in (
        ("changed", facts.changed, "in decision, kind or suggestion"),
        ("newly flagged", facts.newly_flagged, "clean in the first"),
        ("newly kept", facts.newly_kept, "flagged in the first"),
        ("other kind", facts.kind_changed, "flagged in both"),
        ("other suggestion", facts.suggestion_changed, "flagged in both"),
    ):
        lines.append(f"  {fact(name, count, f'{percent(count / n):>7}  {words}')}")
    lines += [f"  {fact('only in the first', facts.only_first)}", f"  {fact('only in the second', facts.only_second)}"]
    lines += section("transitions", columns(("from -> to", "utterances"), list(facts.transitions.items())))
    rows = [(s.speaker, s.utterances, s.newly_flagged, s.newly_kept, s.other) for s in facts.speakers[:top]]
    lines += section(
        "most changed speakers", columns(("speaker", "utterances", "newly flagged", "newly kept", "other"), rows)
    )
    smaller = facts.utterances + min(facts.only_first, facts.only_second)
    if facts.utterances < _LEAST * smaller:
        share = percent(facts.utterances / smaller)
        lines += ["", f"WARNING: only {share} of the smaller one is in the other: are both of the same corpus?"]
    return lines
