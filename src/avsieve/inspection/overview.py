"""A run at a glance: counts, failures, what to expect of the flags, warnings, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any

from avsieve.cleansing.warning_texts import warnings_in_words
from avsieve.inspection.audit_of_run import audit_of
from avsieve.inspection.decided import KINDS, Decided, read_decided
from avsieve.inspection.failures import Failure, failures_of
from avsieve.inspection.figures import COUNTED, Figure, figures_of, read_json
from avsieve.inspection.groups import Group, Groups
from avsieve.inspection.run_files import RunFiles

FORMAT = "avsieve.inspect/1"
"""Name of the structure that `Overview.as_json` returns; a change that breaks readers raises the number."""
MODALITIES = {"audio": ("video", "audio"), "visual": ("video", "visual")}
"""Modality -> kinds of flags in which it is wrong."""
_NAMED = 10


@dataclass(frozen=True)
class Note:
    """Something to know of: ``severe`` where it must not be passed over, ``about`` names speakers, videos or pairs."""

    text: str
    severe: bool
    about: list[str]


@dataclass(frozen=True)
class Overview:
    """What a run found.

    Attributes
    ----------
    folder
        Of the results.
    utterances, videos, speakers
        Counts of the training list.
    decisions, reasons
        Utterances by decision (`clean`, `noisy`, `incomplete`) and by reason.
    not_judged
        Utterances without a probability; they are kept unless something is missing.
    kinds, modalities
        Flagged utterances by kind (`video`, `audio`, `visual`), and by the modality that is wrong.
    suggested
        Flagged utterances for which another speaker of the list is suggested.
    videos_flagged
        Videos of two judged clips or more that are flagged whole.
    failures
        What the stages could not use, by stage and reason.
    figures
        Precision, recall and F1 with their origins.
    notes
        Warnings, the severe ones first.
    settings
        Method, policy, threshold and options of the decision.
    has_faces
        Whether faces were kept, so that pictures can be made.
    worst_speakers, worst_videos
        By the lower end of the interval of their flagged share.
    anchors
        Where the method ranks utterances that are known to be wrong (`cleansing.anchors`); None without such a table.
    next
        What to do next: commands and advice, one a line.
    """

    folder: str
    utterances: int
    videos: int
    speakers: int
    decisions: dict[str, int]
    reasons: dict[str, int]
    not_judged: int
    kinds: dict[str, int]
    modalities: dict[str, int]
    suggested: int
    videos_flagged: int
    failures: list[Failure]
    figures: list[Figure]
    notes: list[Note]
    settings: dict[str, Any]
    has_faces: bool
    worst_speakers: list[Group]
    worst_videos: list[Group]
    anchors: dict[str, Any] | None
    next: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        groups = {name: [g.as_json() for g in getattr(self, name)] for name in ("worst_speakers", "worst_videos")}
        return {"format": FORMAT, "of": "run", **asdict(self), **groups}


def overview(run: RunFiles, *, top: int = 10, least_left: int = 5, decided: Decided | None = None) -> Overview:
    """Gather what a run found.

    Parameters
    ----------
    top
        How many of the worst speakers and videos.
    least_left
        Speakers that lose utterances to flags and keep fewer than so many are warned of.
    decided
        The decisions, where they were read before.

    Raises
    ------
    AvsieveError
        If a file of the run cannot be read.
    """
    decided = read_decided(run.decisions) if decided is None else decided
    summary = read_json(run.summary, "the summary")
    speakers, videos = Groups(decided, "speaker"), Groups(decided, "video")
    flagged = decided.flagged
    counts = decided.kind.counts(flagged)
    kinds = {kind: counts.get(kind, 0) for kind in KINDS}
    decisions = decided.decision.counts()
    audit, misfit = audit_of(run.audit, summary, lambda: decided)
    figures, failures = figures_of(run, summary, {} if misfit else audit), failures_of(run)
    whole = (videos.videos_flagged > 0) & (videos.judged >= 2)
    notes = [*_notes(summary), *_left(speakers, least_left)]
    if misfit:
        notes.append(Note(f"{misfit}; its figures are left out", True, []))
    facts = {
        "folder": str(run.folder),
        "utterances": len(decided),
        "videos": len(videos),
        "speakers": len(speakers),
        "decisions": {name: decisions.get(name, 0) for name in ("clean", "noisy", "incomplete")},
        "reasons": decided.reason.counts(),
        "not_judged": int((~decided.judged).sum()),
        "kinds": kinds,
        "modalities": {m: sum(kinds[k] for k in of) for m, of in MODALITIES.items()},
        "suggested": int((flagged & (decided.suggested.code >= 0)).sum()),
        "videos_flagged": int(whole.sum()),
        "settings": summary.get("settings", {}),
        "has_faces": run.has_faces,
    }
    return Overview(
        **facts,
        failures=failures,
        figures=figures,
        notes=sorted(notes, key=lambda note: not note.severe),
        worst_speakers=speakers.worst(top),
        worst_videos=videos.worst(top),
        anchors=summary.get("anchors"),
        next=next_steps(run, kinds=kinds, figures=figures, failures=failures, worst=speakers.worst(1)),
    )


def _notes(summary: dict[str, Any]) -> list[Note]:
    return [Note(w.text, w.severe, list(w.speakers)) for w in warnings_in_words(summary)]


def _left(speakers: Groups, fewer: int) -> list[Note]:
    rows = speakers.left_with_fewer(fewer)
    if not len(rows):
        return []
    order = rows[speakers.clean[rows].argsort(kind="stable")]
    about = [f"{speakers.name[row]} ({int(speakers.clean[row])})" for row in order[:_NAMED].tolist()]
    who = f"{len(rows):,} speaker{'s are' if len(rows) > 1 else ' is'}"
    return [Note(f"{who} left with fewer than {fewer} clean utterances once flags are dropped", False, about)]


def next_steps(
    run: RunFiles, *, kinds: dict[str, int], figures: list[Figure], failures: list[Failure], worst: list[Group]
) -> list[str]:
    """Return what a user may do next with a run, as commands and short advice."""
    here = shlex.quote(str(run.folder))
    steps = [f"train on {run.decisions.parent / 'train_clean.txt'}, not on train_all_clean.txt"]
    if worst:
        steps.append(f"avsieve inspect {here} --speaker {worst[0].name}    (why this speaker stands at the top)")
    if sum(kinds.values()):
        steps.append(f"avsieve inspect {here} --worst 20 --by utterance    (then: avsieve show UTTERANCE)")
        if run.has_faces:
            steps.append(f"avsieve inspect {here} --worst 20 --by video --sheet worst.jpg    (their faces)")
    if not any(figure.origin != COUNTED and figure.origin.startswith("measured") for figure in figures):
        how = f"avsieve audit {here}" + ("" if run.of_workflow else " --audio FILE --visual FILE")
        steps.append(f"{how}    (measures precision and recall on this data)")
    if failures:
        first = failures[0]
        steps.append(
            f"look at {first.count:,} failures of {first.stage} ({first.code}): avsieve show {first.example} "
            f"--results {here}"
        )
    return steps
