"""The contact sheet: flagged utterances beside what their speaker looks and sounds like otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from avsieve.report.clip_files import Place
from avsieve.report.detection import KIND_LABELS, KINDS, judged_rows, with_truth
from avsieve.report.media import Face, Media
from avsieve.report.scale import Scale, Scales


@dataclass(frozen=True)
class Strip:
    """Faces under a caption, with a voice where there is room for one."""

    caption: str
    faces: list[Face]
    voice: str | None = None


@dataclass(frozen=True)
class Row:
    """One utterance of the sheet, as the page shows it; similarities are None where a modality is missing."""

    utterance: str
    speaker: str
    kind: str
    kind_label: str
    decision: str
    reason: str
    p_wrong: float
    p_audio_wrong: float | None
    p_visual_wrong: float | None
    audio_similarity: float | None
    visual_similarity: float | None
    suggested: str | None
    p_suggested: float | None
    truth: str | None
    audio_scale: Scale | None = None
    visual_scale: Scale | None = None
    strips: list[Strip] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


class Trusted:
    """The utterances of a speaker that are most surely his or her own."""

    def __init__(self, decisions: pd.DataFrame) -> None:
        clean = decisions[(decisions["decision"] == "clean") & judged_rows(decisions)]
        ordered = clean[["utterance", "speaker", "p_wrong"]].sort_values(["p_wrong", "utterance"], kind="stable")
        self._groups = ordered.groupby("speaker", sort=False, observed=True)["utterance"]
        self._speakers = set(ordered["speaker"].unique())

    def of(self, speaker: str | None, most: int) -> list[str]:
        """Return up to ``most`` of them, from different videos as far as there are."""
        if speaker is None or speaker not in self._speakers:
            return []
        names = self._groups.get_group(speaker).tolist()
        by_video: dict[str, list[str]] = {}
        for name in names:
            by_video.setdefault(name.rsplit("/", 1)[0], []).append(name)
        rounds = max(len(v) for v in by_video.values())
        dealt = [v[r] for r in range(rounds) for v in by_video.values() if r < len(v)]
        return dealt[:most]


def most_certain(decisions: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the surest flagged utterances, kinds taking turns; a video's second one comes after all firsts."""
    flagged = decisions[(decisions["decision"] == "noisy") & judged_rows(decisions)]
    ordered = flagged.sort_values(["p_wrong", "utterance"], ascending=[False, True], kind="stable")
    ordered = ordered.assign(again=ordered.groupby(ordered["utterance"].str.rsplit("/", n=1).str[0]).cumcount())
    ordered = ordered.sort_values("again", kind="stable")
    ordered = ordered.assign(turn=ordered.groupby(["again", "kind"], sort=False).cumcount())
    return ordered.sort_values(["again", "turn"], kind="stable").head(most).drop(columns=["again", "turn"])


def closest_calls(decisions: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the utterances whose probability is nearest to even: the ones worth a listener's time."""
    rows = decisions[judged_rows(decisions)]
    distance = (rows["p_wrong"] - 0.5).abs()
    near = rows[distance < 0.4].assign(distance=distance).sort_values(["distance", "utterance"], kind="stable")
    return near.head(most).drop(columns="distance")


def mistakes(decisions: pd.DataFrame, truth: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return utterances that the truth contradicts: missed ones and false alarms, the surest first."""
    rows = with_truth(decisions, truth)
    wrong, flagged = rows["kind_true"] != "clean", rows["decision"] == "noisy"
    bad = rows[wrong != flagged]
    sureness = (bad["p_wrong"] - 0.5).abs()
    return bad.assign(sureness=-sureness).sort_values(["sureness", "utterance"], kind="stable").head(most)


def make_rows(
    chosen: pd.DataFrame,
    media: Media,
    trusted: Trusted,
    truth: pd.DataFrame | None,
    *,
    faces: int,
    players: int,
    voice_s: float,
    scales: Scales | None = None,
) -> list[Row]:
    """Fetch what the sheet shows of the chosen utterances.

    Parameters
    ----------
    chosen
        Rows of the decisions, in the order of the sheet.
    faces
        Faces in a strip.
    players
        The first so many rows get players, and after them those that are flagged for the voice: sound makes a page
        heavy, and what is judged by ear must be heard.
    voice_s
        Seconds of each voice.
    scales
        The similarities of each speaker; None to leave out where those of a row lie.
    """
    known = {} if truth is None else dict(zip(truth["utterance"], truth["kind"], strict=True))
    labels = {true_kind: KIND_LABELS[kind] for kind, true_kind in KINDS.items()} | {"clean": "clean"}

    def number(value: float) -> float | None:
        return None if value is None or np.isnan(value) else float(value)

    rows = []
    for position, line in enumerate(chosen.to_dict("records")):
        by_ear = line["decision"] == "noisy" and line["kind"] in ("audio", "video")
        seconds = voice_s if position < players or (by_ear and players) else 0.0
        utterance, speaker = line["utterance"], line["speaker"]
        suggested = line["suggested_speaker"] if isinstance(line["suggested_speaker"], str) else None
        caption = "flagged" if line["decision"] == "noisy" else "this utterance"
        strips = [Strip(caption, media.faces(utterance, faces, boxes=True), media.voice(utterance, seconds))]
        strips += [
            _gallery(f"trusted, of {name}", trusted.of(name, 3 * faces), media, faces, seconds)
            for name in (speaker, suggested)
            if name is not None
        ]
        rows.append(
            Row(
                utterance=utterance,
                speaker=speaker,
                kind=line["kind"],
                kind_label=KIND_LABELS.get(line["kind"], "clean"),
                decision=line["decision"],
                reason=line["reason"],
                p_wrong=float(line["p_wrong"]),
                p_audio_wrong=number(line["p_audio_wrong"]),
                p_visual_wrong=number(line["p_visual_wrong"]),
                audio_similarity=number(line["audio_similarity"]),
                visual_similarity=number(line["visual_similarity"]),
                suggested=suggested,
                p_suggested=number(line["p_suggested"]) if suggested else None,
                truth=labels.get(known.get(utterance, "")),
                audio_scale=scales.of(speaker, "audio", number(line["audio_similarity"])) if scales else None,
                visual_scale=scales.of(speaker, "visual", number(line["visual_similarity"])) if scales else None,
                strips=strips,
                places=media.places(utterance),
            )
        )
    return rows


def _gallery(caption: str, utterances: Sequence[str], media: Media, most: int, seconds: float) -> Strip:
    """Show one face of each of several utterances, as far as they have one, and the first voice."""
    faces: list[Face] = []
    voice = None
    for name in utterances:
        if len(faces) < most:
            faces += media.faces(name, 1)
        voice = voice or media.voice(name, seconds)
    return Strip(caption, faces, voice)
