"""One utterance: why it was flagged or kept, and all that a run knows of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from avsieve.errors import AvsieveError
from avsieve.inspection.decided import Decided, read_decided
from avsieve.inspection.details import Clip, clips_of
from avsieve.inspection.figures import read_json
from avsieve.inspection.near import near_utterances
from avsieve.inspection.run_files import RunFiles
from avsieve.inspection.usual import Measure, measures
from avsieve.inspection.whereabouts import Place, StageSaid, places, plan_row, rows_of, said
from avsieve.lists.train_list import utterance_of

FORMAT = "avsieve.show/1"
"""Name of the structure that `UtteranceFacts.as_json` returns; a change that breaks readers raises the number."""
MODALITIES = ("audio", "visual")
_NEAREST = 3


@dataclass(frozen=True)
class Likeness:
    """How alike an utterance is to its label and to the suggested speaker, in one modality.

    ``suggested`` is None where that speaker is none of the three nearest others; ``rank`` is its place there, from 1.
    """

    modality: str
    label: float | None
    suggested: float | None
    rank: int | None


@dataclass(frozen=True)
class Suggestion:
    """Whose a flagged utterance is thought to be.

    Attributes
    ----------
    speaker, probability
        The speaker, and the probability that it is the right one.
    likeness
        Per modality, in cosines of the embeddings.
    same_video
        Clips of the same video for which the same speaker is suggested, this one included.
    utterances
        How many utterances that speaker has in the list.
    """

    speaker: str
    probability: float
    likeness: list[Likeness]
    same_video: int
    utterances: int


@dataclass(frozen=True)
class UtteranceFacts:
    """All that a run knows of an utterance.

    Attributes
    ----------
    clip
        Decision, reason, kind, probabilities.
    speaker, video
        Its label, and ``speaker/video``.
    settings
        Method, policy, threshold of the decision.
    measures
        Numbers, each beside what is usual.
    suggestion
        Whose it is thought to be; None where nobody is suggested.
    video_clips
        The other clips of its video, with their decisions.
    shard, places, said
        Where its files lie, and what the stages noted; empty where the run has no shards.
    """

    clip: Clip
    speaker: str
    video: str
    settings: dict[str, Any]
    measures: list[Measure]
    suggestion: Suggestion | None
    video_clips: list[Clip]
    shard: str | None
    places: list[Place]
    said: list[StageSaid]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        percentiles = [asdict(m) | {"percentile": m.percentile} for m in self.measures]
        return {"format": FORMAT, **asdict(self), "measures": percentiles}


def utterance_facts(run: RunFiles, name: str) -> UtteranceFacts:
    """Gather what a run knows of an utterance.

    Parameters
    ----------
    name
        ``speaker/video/utterance``; a path that ends so, with an ending of a file, will do.

    Raises
    ------
    AvsieveError
        If the run did not judge such an utterance: with the reason, or names that look like it.
    """
    decided = read_decided(run.decisions)
    utterance = utterance_of(name)
    row = decided.row_of(utterance)
    if row < 0:
        raise AvsieveError(_not_there(run, decided, utterance))
    speaker, video = decided.speaker.text(row) or "", decided.video.text(row) or ""
    clips = np.flatnonzero(decided.video.code == decided.video.code[row])
    planned = plan_row(run, utterance)
    shard = None if planned is None else str(planned["shard"])
    return UtteranceFacts(
        clip=clips_of(decided, np.array([row]))[0],
        speaker=speaker,
        video=video,
        settings=read_json(run.summary, "the summary").get("settings", {}),
        measures=measures(decided, row, run.scores, run.decisions),
        suggestion=_suggestion(run, decided, row, clips),
        video_clips=clips_of(decided, clips[clips != row]),
        shard=shard,
        places=[] if shard is None else places(run, utterance, shard),
        said=[] if shard is None else said(run, utterance, shard),
    )


def _suggestion(run: RunFiles, decided: Decided, row: int, clips: np.ndarray) -> Suggestion | None:
    speaker = decided.suggested.text(row)
    if speaker is None:
        return None
    name = decided.names(np.array([row]))[0]
    from_scores = run.scores.is_file()
    found = (rows_of(run.scores if from_scores else run.decisions, name) or [{}])[0]
    same = decided.suggested.code[clips] == decided.suggested.code[row]
    return Suggestion(
        speaker=speaker,
        probability=round(float(decided.p_suggested[row]), 6),
        likeness=[_likeness(found, m, speaker, from_scores=from_scores) for m in MODALITIES],
        same_video=int(same.sum()),
        utterances=int(decided.speaker.is_(speaker).sum()),
    )


def _likeness(found: dict[str, Any], modality: str, speaker: str, *, from_scores: bool) -> Likeness:
    """Look up how alike an utterance is to a speaker in a row of the scores, or of the decisions."""
    pairs = [(f"{modality}_other{k + 1}_speaker", f"{modality}_other{k + 1}") for k in range(_NEAREST)]
    pairs = pairs if from_scores else [(f"{modality}_nearest_speaker", f"{modality}_nearest_similarity")]
    label = _number(found.get(f"{modality}_similarity"))
    for rank, (who, how) in enumerate(pairs, start=1):
        if found.get(who) == speaker:
            return Likeness(modality, label, _number(found.get(how)), rank)
    return Likeness(modality, label, None, None)


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)


def _not_there(run: RunFiles, decided: Decided, utterance: str) -> str:
    """Say why an utterance has no decision, and what may be meant."""
    planned = plan_row(run, utterance)
    if planned is not None and planned["subset"] != "train":
        return (
            f"{utterance} is of the people who are only tested (plan: subset {planned['subset']}, shard "
            f"{planned['shard']}), and only the training list is judged; name an utterance of {run.train_list}"
        )
    depth = utterance.strip("/").count("/")
    inside = pc.starts_with(decided.utterance, utterance.strip("/") + "/")
    count = pc.sum(inside).as_py() or 0
    if depth < 2 and count:
        what = ("speaker", "video")[depth]
        return (
            f"{utterance} is a {what} with {count:,} utterances; expected speaker/video/utterance: avsieve inspect "
            f"{run.folder} --{what} {utterance} shows the {what}"
        )
    near = near_utterances(utterance, decided.utterance)
    hint = f"did you mean {', '.join(near)}?" if near else _like(decided)
    return f"{utterance}: no utterance of the {len(decided):,} in {run.decisions}; {hint}"


def _like(decided: Decided) -> str:
    return f"ids look like {decided.utterance[0].as_py()}" if len(decided) else "the list is empty"
