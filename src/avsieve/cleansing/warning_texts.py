"""A summary's warnings in words: for the terminal, the text and the page alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_PARTS = {"audio": "voice", "visual": "face"}
_GONE = {
    "emptied_speakers": "no clean utterance left",
    "incomplete_speakers": "no utterance with everything that training needs, though no label was found wrong",
}
_SIMPLE = ("few_speakers", "one_speaker")
_NOTES = {
    "mostly_wrong_speakers": ("loses more than half of its utterances", "lose more than half of their utterances"),
    "two_identities": ("seems to be two people under one label", "seem to be two people under one label"),
    "in_doubt": (
        "has about as many videos of someone else: it was a close call which person is right",
        "have about as many videos of someone else: it was a close call which person is right",
    ),
}
_REVIEWS = {
    "foreign": ("of utterances that are not in the list; they count for nothing", True),
    "other_list": ("made on another list (list_sha256); they count, if they are still meant", True),
    "unknown_speakers": ("name a speaker who has no label in the list; the name stands in the decisions", False),
    "spread_conflicts": ("contradict another one of the video; what they contradict does not spread", True),
}


@dataclass(frozen=True)
class Warned:
    """One warning; ``severe`` tells that it must not be passed over.

    ``speakers`` are who it is about; of a review's warning, the utterances.
    """

    text: str
    speakers: list[str] = field(default_factory=list)
    severe: bool = True


def warnings_in_words(summary: dict[str, Any]) -> list[Warned]:
    """Return what ``summary.json`` warns of, the worst first."""
    found = summary.get("warnings", {})
    words = [*_judging(summary), *_coverage(summary), *review_in_words(summary)]
    for key, text in _GONE.items():
        item = found.get(key) or {}
        if n := item.get("count", 0):
            who = f"{n:,} speaker{'s have' if n > 1 else ' has'} {text}; dropping them shifts the class numbers"
            words.append(Warned(f"{who} of all after them", item.get("speakers", [])))
    for key, (one, several) in _NOTES.items():
        item = found.get(key) or {}
        if n := item.get("count", 0):
            words.append(
                Warned(f"{n:,} speakers {several}" if n > 1 else f"1 speaker {one}", item.get("speakers", []), False)
            )
    if n := found.get("merge_count", 0):
        pairs = [f"{first} = {second} ({likeness:.2f})" for first, second, likeness in found.get("merge", [])]
        words.append(
            Warned(
                f"{n:,} pair{'s' if n > 1 else ''} of labels may be one person{' each' if n > 1 else ''}", pairs, False
            )
        )
    return words


def _judging(summary: dict[str, Any]) -> list[Warned]:
    item = summary.get("warnings", {}).get("not_judged") or {}
    n, judged, why = item.get("count", 0), item.get("judged", 0), item.get("why") or {}
    words = []
    if n and not judged:
        reasons = "; ".join(dict.fromkeys(why.values()))
        words.append(Warned(f"NOTHING WAS JUDGED: {reasons}; the lists are unchanged"))
    elif why:
        words += [Warned(f"no {_PARTS[m]} was judged: {reason}") for m, reason in why.items()]
    if n and judged:
        # A speaker's only utterance cannot be judged in any corpus; when there are many, something else is amiss.
        text = f"{n:,} utterance{'s' if n > 1 else ''} could not be judged and {'were' if n > 1 else 'was'} kept"
        words.append(Warned(text, severe=n > judged / 10))
    simple = [m for m, by in summary.get("method", {}).get("judged_by", {}).items() if by in _SIMPLE]
    if simple:
        parts = " and ".join(f"{_PARTS[m]}s" for m in simple)
        words.append(Warned(f"few speakers or utterances: {parts} were judged by a simpler rule", severe=False))
    return words


def review_in_words(summary: dict[str, Any]) -> list[Warned]:
    """Return what is odd about the reviews that a cleansing took; the examples are utterances."""
    found = summary.get("review") or {}
    words = []
    for key, (text, severe) in _REVIEWS.items():
        item = found.get(key) or {}
        if n := item.get("count", 0):
            words.append(Warned(f"{n:,} review{'s' if n > 1 else ''} {text}", item.get("examples", []), severe))
    return words


def _coverage(summary: dict[str, Any]) -> list[Warned]:
    low = summary.get("warnings", {}).get("low_coverage") or {}
    table = summary.get("coverage", {})
    return [
        Warned(
            f"only {table[m]['embeddings']:,} of {table[m]['of']:,} utterances ({share:.1%}) have an embedding of the "
            f"{_PARTS[m]}: do the list and the embeddings belong together?"
        )
        for m, share in low.items()
    ]
