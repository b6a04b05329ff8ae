"""An overlap in words for the terminal."""

from __future__ import annotations

from avsieve.inspection.text import columns, fact, paragraph, probability, section
from avsieve.overlap.facts import OverlapFacts

_SHOWN = 20


def overlap_lines(facts: OverlapFacts) -> list[str]:
    """Return the numbers, the likeliest pairs and the notes."""
    modalities = [way.modality for way in facts.compared if way.modality != "both"]
    number = f"{facts.shared_low:,} to {facts.shared_high:,} if the probabilities are right, of A in B"
    lines = [
        fact("speakers of A", facts.speakers_a, facts.a),
        fact("speakers of B", facts.speakers_b, facts.b),
        fact("pairs compared", facts.pairs_compared, f"by {' and '.join(modalities)}"),
        fact("shared people", f"{facts.shared:.1f}", number),
        fact("to leave out", len(facts.excluded), f"speakers of A, from probability {facts.at:g}"),
    ]
    rows = [
        [p.speaker_a, p.speaker_b, probability(p.probability), *(probability(p.similarity[m]) for m in modalities),
         p.utterances_a, p.utterances_b]
        for p in facts.pairs[:_SHOWN]
    ]  # fmt: skip
    head = ["A", "B", "probability", *modalities, "utterances of A", "of B"]
    more = len(facts.pairs) - _SHOWN
    table = columns(head, rows, left=(0, 1)) + ([f"and {more:,} more"] if more > 0 else [])
    lines += section("likeliest pairs", table)
    for note in facts.notes:
        lines += ["", *paragraph(f"note: {note}")]
    return lines
