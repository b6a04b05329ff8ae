"""`avsieve inspect` in words."""

from __future__ import annotations

from collections.abc import Sequence

from avsieve.cleansing.decisions import REASON_WORDS, DecisionReason
from avsieve.inspection.anchors_text import known_wrong_lines
from avsieve.inspection.details import Clip, SpeakerFacts, VideoFacts
from avsieve.inspection.failures import Failure
from avsieve.inspection.groups import Group
from avsieve.inspection.list_facts import ListFacts
from avsieve.inspection.overview import Overview
from avsieve.inspection.text import columns, fact, paragraph, percent, probability, section

_SHOWN = 5  # names in a note
_DECISIONS = {
    "clean": "label believed right, nothing missing",
    "noisy": "flagged: label believed wrong",
    "incomplete": "lacks a voice or a face",
}
_KINDS = {"video": "voice and face", "audio": "voice only", "visual": "face only"}
_PARTS = {"audio": "voice", "visual": "face"}


def overview_lines(facts: Overview) -> list[str]:
    """Return the overview of a run."""
    n = max(facts.utterances, 1)
    settings = facts.settings
    lines = [f"{'results':<20}  {facts.folder}"]
    if settings:
        told = f"{settings.get('method')}, policy {settings.get('policy')}, threshold {settings.get('threshold')}"
        lines.append(f"{'decided by':<20}  {told}")
    lines += [fact(name, getattr(facts, name)) for name in ("utterances", "videos", "speakers")]
    lines += [
        fact(name, count, f"{percent(count / n):>7}  {_DECISIONS[name]}") for name, count in facts.decisions.items()
    ]
    lines.append(fact("not judged", facts.not_judged, f"{percent(facts.not_judged / n):>7}  no probability"))
    lines += [fact(f"flagged {k}", c, f"{percent(c / n):>7}  {_KINDS[k]} wrong") for k, c in facts.kinds.items()]
    lines += [
        fact(f"wrong {_PARTS[m]}s", c, f"{percent(c / n):>7}  of either kind") for m, c in facts.modalities.items()
    ]
    lines.append(fact("whole videos", facts.videos_flagged, "flagged in every clip (of two or more)"))
    lines.append(fact("suggested", facts.suggested, "flagged, and another speaker is suggested"))
    reasons = [(code, count, _reason(code)) for code, count in facts.reasons.items()]
    lines += section("reasons", columns(("reason", "utterances", "meaning"), reasons, left=(0, 2)))
    lines += section("failures", failure_lines(facts.failures))
    lines += section("how good the flags are", [*_figures(facts)])
    lines += section("labels known to be wrong (cleansing.anchors)", known_wrong_lines(facts.anchors))
    how = "by the lower end of the 95 % interval of the share"
    lines += section(f"worst speakers ({how})", group_lines(facts.worst_speakers))
    lines += section("worst videos", group_lines(facts.worst_videos))
    lines += section("warnings", [line for note in facts.notes for line in _note(note.text, note.about, note.severe)])
    lines += section("next", facts.next)
    return lines


def list_lines(facts: ListFacts) -> list[str]:
    """Return what a list alone tells."""
    few, middle, many = facts.utterances_per_speaker
    lines = [f"{'list':<20}  {facts.path}", f"{'layout':<20}  {facts.layout}"]
    lines += [fact(name, getattr(facts, name)) for name in ("utterances", "videos", "speakers")]
    lines.append(fact("utterances/speaker", f"{middle:g}", f"median; {few:,} to {many:,}"))
    if facts.single_utterance_speakers:
        lines.append(fact("single utterance", facts.single_utterance_speakers, "speakers whom nothing can judge"))
    if facts.hours is not None:
        lines.append(fact("hours", f"{facts.hours:,.1f}", f"{facts.lengths_unknown:,} of unknown length"))
    if facts.flag_0 is not None and facts.flag_1 is not None:
        n = max(facts.utterances, 1)
        lines.append(fact("flag 1", facts.flag_1, f"{percent(facts.flag_1 / n):>7}  clean"))
        lines.append(fact("flag 0", facts.flag_0, f"{percent(facts.flag_0 / n):>7}  noisy, or incomplete"))
        lines += section("most lines of flag 0", columns(("speaker", "flag 0", "lines"), facts.most_flag_0))
    more = (
        "a list has no reasons, probabilities, suggestions, failures or faces: avsieve inspect RESULTS tells them, "
        "RESULTS being the results of a run or the folder of avsieve cleanse --out"
    )
    return [*lines, "", *paragraph(more)]


def speaker_lines(facts: SpeakerFacts) -> list[str]:
    """Return what is known of a speaker."""
    g = facts.group
    lines = _group_facts("speaker", g)
    lines += [fact("videos", g.videos, f"{g.videos_flagged:,} flagged in every clip")]
    lines += section("videos", group_lines(facts.videos))
    lines += section("flagged clips, the surest first", clip_lines(facts.clips))
    suggested, claimed = list(facts.suggested.items()), list(facts.claimed.items())
    lines += section("its flagged clips are thought to be", columns(("speaker", "clips"), suggested))
    return [
        *lines,
        *section("flagged clips of others that are thought to be its", columns(("label", "clips"), claimed)),
    ]


def video_lines(facts: VideoFacts) -> list[str]:
    """Return what is known of a video."""
    return [*_group_facts("video", facts.group), *section("clips", clip_lines(facts.clips))]


def failure_lines(failures: Sequence[Failure]) -> list[str]:
    """Return a table of failures; nothing where there are none."""
    rows = [(f.stage, f.code, f.count, f.meaning) for f in failures]
    return columns(("stage", "reason", "utterances", "meaning"), rows, left=(0, 1, 3))


def group_lines(groups: Sequence[Group]) -> list[str]:
    """Return a table of speakers or videos; nothing where there are none."""
    if not groups:
        return []
    head = (groups[0].name.count("/") and "video") or "speaker"
    rows = [
        (
            g.name,
            g.flagged,
            g.judged,
            percent(g.share, 0),
            f"{percent(g.low, 0)[:-2]} - {percent(g.high, 0)}",
            _kinds(g),
        )
        for g in groups
    ]
    return columns((head, "flagged", "judged", "share", "95 %", "kinds"), rows, left=(0, 5))


def clip_lines(clips: Sequence[Clip]) -> list[str]:
    """Return a table of utterances; nothing where there are none."""
    if not clips:
        return []
    rows = [
        (
            c.utterance,
            c.decision,
            c.kind or "-",
            probability(c.p_wrong),
            c.suggested_speaker,
            probability(c.p_suggested),
        )
        for c in clips
    ]
    return columns(("utterance", "decision", "kind", "p wrong", "suggested", "p"), rows, left=(0, 1, 2, 4))


def _group_facts(what: str, g: Group) -> list[str]:
    return [
        f"{what:<20}  {g.name}",
        fact("utterances", g.utterances),
        fact("judged", g.judged),
        fact("flagged", g.flagged, f"{percent(g.share)} of the judged, 95 %: {percent(g.low)} to {percent(g.high)}"),
        *(fact(f"flagged {kind}", count) for kind, count in g.kinds.items()),
        fact("clean", g.clean),
        fact("incomplete", g.incomplete),
        fact("expected wrong", f"{g.expected_wrong:.1f}", "sum of the probabilities"),
    ]


def _figures(facts: Overview) -> list[str]:
    if not facts.figures:
        return ["unknown: the method has no probabilities, and there is no audit"]
    rows = [(f.name, probability(f.value), _ends(f.low, f.high), f.origin) for f in facts.figures]
    return columns(("figure", "value", "range", "origin"), rows, left=(0, 3))


def _ends(low: float | None, high: float | None) -> str:
    if low is None or high is None or f"{low:.3f}" == f"{high:.3f}":
        return "-"
    return f"{low:.3f}-{high:.3f}"


def _kinds(g: Group) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in g.kinds.items()) or "-"


def _reason(code: str) -> str:
    return REASON_WORDS[DecisionReason(code)] if code in set(DecisionReason) else ""


def _note(text: str, about: Sequence[str], severe: bool) -> list[str]:
    names = ", ".join(about[:_SHOWN]) + (", …" if len(about) > _SHOWN else "")
    return [f"{'WARNING' if severe else 'note'}: {text}{f': {names}' if names else ''}"]
