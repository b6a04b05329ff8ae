"""`avsieve show` in words."""

from __future__ import annotations

from avsieve.cleansing.decisions import REASON_WORDS, DecisionReason
from avsieve.inspection.overview_text import clip_lines
from avsieve.inspection.text import columns, paragraph, probability, section
from avsieve.inspection.usual import Measure
from avsieve.inspection.utterance import MODALITIES, Suggestion, UtteranceFacts

_PARTS = {"audio": "voice", "visual": "face"}
_ASKED = {
    "either": "the voice or the face is another person's",
    "both": "voice and face are another person's",
    "audio": "the voice is another person's",
    "visual": "the face is another person's",
}
_FIRST = 3  # members of a tar that are named


def utterance_lines(facts: UtteranceFacts) -> list[str]:
    """Return all about an utterance."""
    clip = facts.clip
    lines = [f"{'utterance':<16}{clip.utterance}", f"{'label':<16}{facts.speaker}"]
    lines += [f"{'decision':<16}{clip.decision}", f"{'reason':<16}{clip.reason}"]
    named = {"p wrong": clip.p_wrong, "p voice wrong": clip.p_audio_wrong, "p face wrong": clip.p_visual_wrong}
    lines += [f"{name:<16}{probability(value)}" for name, value in named.items()]
    lines += section("why", [line for text in why(facts) for line in paragraph(text)])
    lines += section("beside what is usual", measure_lines(facts.measures))
    if facts.suggestion:
        lines += section(f"suggested: {facts.suggestion.speaker}", suggestion_lines(facts.suggestion))
    lines += section(f"other clips of {facts.video}", clip_lines(facts.video_clips))
    stages = [(s.stage, s.code, _detail(s.code, s.meaning, s.detail)) for s in facts.said]
    lines += section("stages", columns(("stage", "code", "detail"), stages, left=(0, 1, 2)))
    rows = [(p.what, _members(p.members), _bytes(p.offset, p.size), p.path) for p in facts.places]
    title = "files" if facts.shard is None else f"files (shard {facts.shard}; bytes are offset + size)"
    lines += section(title, columns(("what", "members", "bytes", "in"), rows, left=(0, 1, 2, 3)))
    if not facts.places:
        lines += ["", "files: none; a folder of avsieve cleanse holds no clips, faces or sound"]
    return lines


def why(facts: UtteranceFacts) -> list[str]:
    """Say in sentences why an utterance was flagged or kept."""
    clip, told = facts.clip, _words(facts.clip.reason)
    policy, threshold = facts.settings.get("policy", "either"), facts.settings.get("threshold")
    if clip.p_wrong is None:
        first = f"Not judged: {told}."
    elif clip.decision == "noisy":
        first = f"Flagged: {told}."
    elif clip.decision == "incomplete":
        first = f"Left out as incomplete: {told}. This says nothing of the label."
    else:
        first = f"Kept: {told}."
    sentences = [first]
    if threshold is not None and clip.p_wrong is not None:
        asked = {"audio": clip.p_audio_wrong, "visual": clip.p_visual_wrong}.get(policy, clip.p_wrong)
        # The table has no probability that both are wrong: the policy "both" asks for one that is not in it.
        if policy != "both":
            sentences.append(
                f"The probability that {_ASKED[policy]} is {probability(asked)}; above {threshold:g} it is flagged."
            )
    for m in MODALITIES:
        sentences += _of_modality(facts, m)
    clips = facts.video_clips
    if clips:
        flagged = sum(c.decision == "noisy" for c in clips)
        sentences.append(
            f"Of the {len(clips)} other clips of its video {flagged} {'is' if flagged == 1 else 'are'} flagged."
        )
    return sentences


def _of_modality(facts: UtteranceFacts, modality: str) -> list[str]:
    found = {m.name: m for m in facts.measures}
    own = found.get(f"{modality}_similarity")
    part = _PARTS[modality]
    if own is None:
        return []
    if own.value is None:
        return [f"There is no {part} to compare with {facts.speaker}."]
    sentences = []
    usual = ""
    if own.corpus_low is not None and own.corpus_high is not None:
        side = "below" if own.value < own.corpus_low else "above" if own.value > own.corpus_high else "within"
        usual = f", {side} what is usual in the corpus ({own.corpus_low:.2f} to {own.corpus_high:.2f})"
    rank = f"; {own.below:,} of the {own.others:,} others of the speaker are lower" if own.others else ""
    sentences.append(f"The {part} is like {facts.speaker} by {own.value:.2f}{usual}{rank}.")
    lead = found.get(f"{modality}_margin")
    if lead is not None and lead.value is not None and lead.value < 0:
        sentences.append(f"Another speaker's {part} is nearer than the label's, by {-lead.value:.2f}.")
    return sentences


def measure_lines(measures: list[Measure]) -> list[str]:
    """Return the table of numbers; ``percentile`` is that among the speaker's other utterances."""
    rows = [
        (m.label, _two(m.value), f"{_two(m.corpus_low)}..{_two(m.corpus_high)}", _two(m.corpus_median),
         _two(m.speaker_median), "-" if m.percentile is None else f"{m.percentile:.0f}", f"{m.below}/{m.others}")
        for m in measures
    ]  # fmt: skip
    return columns(("", "this", "corpus 5-95 %", "median", "speaker", "pctl", "below"), rows)


def suggestion_lines(suggestion: Suggestion) -> list[str]:
    """Return the evidence for a suggested speaker."""
    clips = suggestion.same_video
    lines = [
        f"probability {probability(suggestion.probability)} that it is {suggestion.speaker}",
        f"suggested for {clips} clip{'s' * (clips != 1)} of this video",
        f"has {suggestion.utterances:,} utterances in the list",
    ]
    rows = [
        (_PARTS[x.modality], _two(x.label), _two(x.suggested), x.rank if x.rank else "not among the nearest")
        for x in suggestion.likeness
        if x.label is not None or x.suggested is not None
    ]
    return [*lines, *columns(("", "to label", "to suggested", "rank of it"), rows)]


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _words(reason: str) -> str:
    return REASON_WORDS[DecisionReason(reason)] if reason in set(DecisionReason) else reason


def _detail(code: str, meaning: str, detail: str) -> str:
    return "-" if code == "ok" and not detail else "; ".join(text for text in (meaning, detail) if text)


def _bytes(offset: int | None, size: int | None) -> str:
    return "-" if offset is None else f"{offset}+{size}"


def _members(members: list[str]) -> str:
    if not members:
        return "-"
    names = [name.rpartition("/")[2] for name in members]
    return names[0] if len(names) == 1 else f"{len(names)}: {names[0]} .. {names[-1]}"
