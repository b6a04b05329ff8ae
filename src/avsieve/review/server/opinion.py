"""What the machine thinks of an utterance, in the words of `avsieve show`."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np

from avsieve.inspection.details import clips_of
from avsieve.inspection.figures import read_json
from avsieve.inspection.run_files import RunFiles
from avsieve.inspection.usual import Measured
from avsieve.inspection.utterance import UtteranceFacts
from avsieve.inspection.utterance_text import why
from avsieve.review.server.columns import MODALITIES, Columns
from avsieve.review.server.items import Items

_MEASURES = ("similarity", "margin")  # those that the words speak of


class MachineOpinions:
    """Tells what the machine thinks; what it needs besides the decisions is read when it is first asked."""

    def __init__(self, run: RunFiles, columns: Columns, items: Items) -> None:
        self._run, self._columns, self._items = run, columns, items

    @cached_property
    def _measured(self) -> Measured:
        return Measured(self._columns.decided, self._run.scores, self._run.decisions, _MEASURES)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self._run.summary, "the summary").get("settings", {})
        return found

    def warm(self) -> None:
        """Read what the first opinion would wait for."""
        _ = self._measured, self._settings

    def of(self, row: int) -> dict[str, Any]:
        """Return decision, probabilities, reasons in sentences, the scale of the similarities, and who is suggested.

        Raises
        ------
        AvsieveError
            If the table of the evidence or the summary cannot be read.
        """
        d = self._columns.decided
        clip = clips_of(d, np.array([row]))[0]
        videos = self._columns.rows_of_video(row)
        measures = self._measured.of(row)
        facts = UtteranceFacts(
            clip=clip,
            speaker=d.speaker.text(row) or "",
            video=d.video.text(row) or "",
            settings=self._settings,
            measures=measures,
            suggestion=None,
            video_clips=clips_of(d, videos[videos != row]),
            shard=None,
            places=[],
            said=[],
        )
        named = {measure.name: asdict(measure) for measure in measures}
        scale = {}
        for m in MODALITIES:
            found = named.get(f"{m}_similarity", {})
            keys = {"value": "value", "low": "corpus_low", "median": "corpus_median", "high": "corpus_high"}
            scale[m] = {name: found.get(key) for name, key in keys.items()}
        suggested = None
        if clip.suggested_speaker is not None:
            suggested = {
                "speaker": clip.suggested_speaker,
                "probability": clip.p_suggested,
                "references": self._items.references(clip.suggested_speaker, row),
            }
        return {
            "utterance": clip.utterance,
            "flag": clip.decision == "noisy",
            "machine": clip.decision,
            "p": clip.p_wrong,
            "p_audio": clip.p_audio_wrong,
            "p_visual": clip.p_visual_wrong,
            "kind": clip.kind,
            "reasons": why(facts),
            "suggested": suggested,
            "scale": scale,
        }
