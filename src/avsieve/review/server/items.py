"""What a page shows of one utterance: its faces and voice, and those of trusted clips that it is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

from avsieve.review.entry import FINDINGS, Finding, Verdict
from avsieve.review.server.columns import Columns
from avsieve.review.server.media import MOST_FACES, Media, seconds_of, some
from avsieve.review.server.reviews import Reviews

REFERENCES, REFERENCE_FACES = 4, 4
"""Clips to compare with, and faces of each."""
_LOOKED_AT = 16  # candidates of which the media are looked for
_WRONG = [k for k, name in enumerate(Verdict) if Finding.WRONG in FINDINGS[name]]
_RIGHT = list(Verdict).index(Verdict.RIGHT)


class Items:
    """Makes what is shown of an utterance."""

    def __init__(self, columns: Columns, media: Media, reviews: Reviews) -> None:
        self._columns, self._media, self._reviews = columns, media, reviews
        self._trusted = columns.decided.decision.is_("clean") & columns.decided.judged

    def item(self, row: int, place: str = "", *, hide_decision: bool = False) -> dict[str, Any]:
        """Return an utterance as a page shows it.

        Parameters
        ----------
        row
            Of the decisions.
        place
            Where it stands in a queue; a decision sends it back.
        hide_decision
            Whether the page must not know that this reviewer has decided about it: it is shown again.
        """
        d = self._columns.decided
        utterance = self._columns.id_of(row)
        speaker = d.speaker.text(row) or ""
        voice = self._media.voice(utterance)
        return {
            "place": place,
            "row": row,
            "utterance": utterance,
            "speaker": speaker,
            "video": d.video.text(row),
            "duration_s": None if voice is None else seconds_of(voice),
            "faces": self.faces(row, MOST_FACES),
            "voice": self.voice(row),
            "peaks": None if voice is None else f"/media/peaks/{row}.json?v={voice.version}",
            # Whom the machine suggests stands in the opinion alone: who knows it, judges by it.
            "references": {"label": self.references(speaker, row), "suggested": None},
            "opinion_url": f"/api/opinion/{utterance}",
            "siblings": len(self._columns.rows_of_video(row)),
            "decision": None if hide_decision else self._reviews.decision_of(row),
        }

    def faces(self, row: int, most: int) -> list[str]:
        """Return the addresses of up to ``most`` faces, evenly over the utterance."""
        found = self._media.faces(self._columns.id_of(row))
        return [f"/media/face/{row}/{k}.jpg?v={found[k].version}" for k in some(len(found), most)]

    def voice(self, row: int) -> str | None:
        """Return the address of the voice, None where there is none."""
        found = self._media.voice(self._columns.id_of(row))
        return None if found is None else f"/media/voice/{row}.wav?v={found.version}"

    def references(self, speaker: str, row: int) -> list[dict[str, Any]]:
        """Return trusted clips of a speaker, each of another video and none of the video of ``row``.

        What this reviewer found right comes first, then what the machine is surest of; what the reviewer found wrong is
        left out.
        """
        d, mine = self._columns.decided, self._reviews.mine
        rows = self._columns.rows_of_speaker(speaker)
        found_right = mine[rows] == _RIGHT
        rows = rows[(self._trusted[rows] | found_right) & ~np.isin(mine[rows], _WRONG)]
        p = np.where(mine[rows] == _RIGHT, -1.0, np.nan_to_num(d.p_wrong[rows], nan=1.0))
        rows = rows[np.argsort(p, kind="stable")]
        rows = rows[np.sort(np.unique(d.video.code[rows], return_index=True)[1])]
        own = _tag(d.video.text(row))
        chosen: list[dict[str, Any]] = []
        for other in rows[:_LOOKED_AT].tolist():
            video = d.video.text(other)
            # The same recording may be listed under both people; it would vouch for itself.
            if _tag(video) == own or len(chosen) == REFERENCES:
                continue
            faces, voice = self.faces(other, REFERENCE_FACES), self.voice(other)
            if faces or voice or not (self._media.has_faces or self._media.has_voices):
                chosen.append(
                    {"row": other, "utterance": self._columns.id_of(other), "video": video}
                    | {"faces": faces, "voice": voice}
                )
        return chosen


def _tag(video: str | None) -> str:
    return (video or "").rpartition("/")[2]
