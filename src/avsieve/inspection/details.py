"""One speaker, one video, single clips of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from avsieve.errors import AvsieveError
from avsieve.inspection.decided import PROBABILITIES, Coded, Decided
from avsieve.inspection.groups import Group, Groups
from avsieve.inspection.near import near_names
from avsieve.inspection.overview import FORMAT


@dataclass(frozen=True)
class Clip:
    """What was decided of an utterance; probabilities are None where it was not judged."""

    utterance: str
    decision: str
    reason: str
    kind: str
    p_wrong: float | None
    p_audio_wrong: float | None
    p_visual_wrong: float | None
    suggested_speaker: str | None
    p_suggested: float | None


@dataclass(frozen=True)
class SpeakerFacts:
    """A speaker of a run.

    Attributes
    ----------
    group
        Counts.
    videos
        Its videos, the worst first.
    clips
        Its flagged utterances, the surest first.
    suggested
        Whose they are thought to be: speaker -> how many.
    claimed
        Flagged utterances of others that are thought to be this speaker's: their label -> how many.
    """

    group: Group
    videos: list[Group]
    clips: list[Clip]
    suggested: dict[str, int]
    claimed: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        groups = {"group": self.group.as_json(), "videos": [g.as_json() for g in self.videos]}
        return {"format": FORMAT, "of": "speaker", **asdict(self), **groups}


@dataclass(frozen=True)
class VideoFacts:
    """A video of a run: counts, and all its clips in the order of the list."""

    group: Group
    clips: list[Clip]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return {"format": FORMAT, "of": "video", **asdict(self), "group": self.group.as_json()}


def clips_of(decided: Decided, rows: np.ndarray) -> list[Clip]:
    """Return what was decided of some rows, in their order."""

    def number(values: np.ndarray, row: int) -> float | None:
        return None if np.isnan(values[row]) else round(float(values[row]), 6)

    return [
        Clip(
            utterance=name,
            decision=decided.decision.text(row) or "",
            reason=decided.reason.text(row) or "",
            kind=decided.kind.text(row) or "",
            p_wrong=number(decided.p_wrong, row),
            p_audio_wrong=number(decided.p_audio_wrong, row),
            p_visual_wrong=number(decided.p_visual_wrong, row),
            suggested_speaker=decided.suggested.text(row),
            p_suggested=number(decided.p_suggested, row),
        )
        for name, row in zip(decided.names(rows), rows.tolist(), strict=True)
    ]


def surest(decided: Decided, rows: np.ndarray, most: int) -> np.ndarray:
    """Return those of ``rows`` that are most surely wrong, flagged ones only, in the order of the table where equal."""
    flagged = rows[decided.flagged[rows]]
    return flagged[np.argsort(-decided.p_wrong[flagged], kind="stable")[:most]]


def worst_clips(decided: Decided, most: int) -> list[Clip]:
    """Return the ``most`` flagged utterances with the highest probability that the label is wrong."""
    return clips_of(decided, surest(decided, np.arange(len(decided)), most))


def speaker_facts(decided: Decided, speaker: str, *, top: int = 10) -> SpeakerFacts:
    """Gather what is known of a speaker.

    Parameters
    ----------
    top
        How many clips and names at most; all its videos are listed.

    Raises
    ------
    AvsieveError
        If no utterance has that label, with labels that look like it.
    """
    code = decided.speaker.find(speaker)
    if code < 0:
        raise AvsieveError(_unknown("speaker", speaker, decided.speaker.names))
    rows = np.flatnonzero(decided.speaker.code == code)
    part = take(decided, rows)
    flagged, elsewhere = part.flagged, decided.flagged & decided.suggested.is_(speaker)
    videos = Groups(part, "video")
    order = np.lexsort((videos.name.astype(str), -videos.flagged, -videos.low))
    return SpeakerFacts(
        group=Groups(part, "speaker").group(0),
        videos=[videos.group(k) for k in order.tolist()],
        clips=clips_of(part, surest(part, np.arange(len(rows)), top)),
        suggested=_first(part.suggested.counts(flagged), top),
        claimed=_first(decided.speaker.counts(elsewhere), top),
    )


def video_facts(decided: Decided, video: str) -> VideoFacts:
    """Gather what is known of a video, ``speaker/video``.

    Raises
    ------
    AvsieveError
        If no utterance is of that video, with videos that look like it.
    """
    code = decided.video.find(video)
    if code < 0:
        raise AvsieveError(_unknown("video", video, decided.video.names))
    part = take(decided, np.flatnonzero(decided.video.code == code))
    return VideoFacts(Groups(part, "video").group(0), clips_of(part, np.arange(len(part))))


def take(decided: Decided, rows: np.ndarray) -> Decided:
    """Return the decisions of some rows; names that do not occur among them are left out."""

    def coded(column: Coded) -> Coded:
        code = column.code[rows]
        used = np.unique(code[code >= 0])
        new = np.full(len(column.names) + 1, -1, np.int32)
        new[used] = np.arange(len(used))
        return Coded(column.names[used], new[code])

    columns = ("speaker", "video", "kind", "suggested", "decision", "reason")
    values: dict[str, Any] = {name: coded(getattr(decided, name)) for name in columns}
    values |= {name: getattr(decided, name)[rows] for name in PROBABILITIES}
    return Decided(utterance=decided.utterance.take(pa.array(rows)), **values)


def _first(counts: dict[str, int], most: int) -> dict[str, int]:
    return dict(list(counts.items())[:most])


def _unknown(what: str, name: str, names: np.ndarray) -> str:
    near = near_names(name, names)
    hint = (
        f"did you mean {', '.join(near)}?" if near else f"names look like {names[0]}" if len(names) else "it is empty"
    )
    return f"{what} {name!r}: no utterance of the run has it; {hint}"
