"""The clips that a plan of review draws from and that its figures are about: what was judged, without names twice.

A clip is wrong in the sense of the policy that decided: ``either`` asks whether the voice or the face is, and so on. Of
a clip of which one modality was judged, only that one counts. What reviewers had settled before the decisions were made
(`avsieve cleanse --review`) is known: it is not drawn again, and counts as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from avsieve.inspection.decided import Decided, read_decided
from avsieve.inspection.figures import read_json
from avsieve.inspection.run_files import RunFiles
from avsieve.review.entry import Finding
from avsieve.storage.provenance import sha256_of
from avsieve.storage.tables import open_table


@dataclass(frozen=True)
class Population:
    """The n clips that were judged.

    Attributes
    ----------
    utterance
        Ids, an Arrow array (n,) of str.
    speaker, unit
        (n,) int64: the label, and the label's video; clips of a label and video have the same number.
    speakers
        (k,) object: the names behind ``speaker``.
    p
        (n,) float64: the probability of what the policy asks about.
    flagged
        (n,) bool.
    known
        (n,) float64: 1 wrong and 0 right, as reviewers settled it before the decisions were made; else NaN.
    audio, visual
        (n,) bool: which modality was judged.
    policy
        Of the cleansing.
    calibrated
        Whether ``p`` are probabilities, and not only a method's yes and no.
    unjudged
        How many clips have no probability; nothing here is about them.
    decisions_sha256
        Of the file of decisions.
    """

    utterance: pa.Array
    speaker: np.ndarray
    unit: np.ndarray
    speakers: np.ndarray
    p: np.ndarray
    flagged: np.ndarray
    known: np.ndarray
    audio: np.ndarray
    visual: np.ndarray
    policy: str = "either"
    calibrated: bool = True
    unjudged: int = 0
    decisions_sha256: str = ""

    def __len__(self) -> int:
        return len(self.p)

    @property
    def open(self) -> np.ndarray:
        """What nobody has settled, (n,) bool."""
        return np.isnan(self.known)

    def names(self, rows: np.ndarray) -> list[str]:
        """Return the ids of some rows, in their order."""
        found: list[str] = self.utterance.take(pa.array(np.asarray(rows, np.int64))).to_pylist()
        return found

    def label(self, row: int, audio: str, visual: str) -> float:
        """Return what two values of `Finding` say of a clip: 1 wrong, 0 right, NaN where they leave it open."""
        of = {"audio": (audio, self.audio[row]), "visual": (visual, self.visual[row])}
        asked = [self.policy] if self.policy in of else list(of)
        found = [value for value, judged in (of[m] for m in asked) if judged]
        if not found or (Finding.UNSURE in found and len(set(found)) == 1):
            return np.nan
        decisive, other = (Finding.RIGHT, 0.0) if self.policy == "both" else (Finding.WRONG, 1.0)
        if decisive in found:
            return other
        return np.nan if Finding.UNSURE in found else 1.0 - other


def read_population(run: RunFiles) -> Population:
    """Read what a run has judged.

    Raises
    ------
    AvsieveError
        If a file of the run cannot be read.
    """
    summary = read_json(run.summary, "the summary")
    policy = str((summary.get("settings") or {}).get("policy") or "either")
    decided = read_decided(run.decisions)
    return population_of(
        decided, policy, _reviewed(run), sha256_of(run.decisions), calibrated=summary.get("estimated") is not None
    )


def population_of(
    decided: Decided, policy: str, reviewed: np.ndarray | None = None, sha256: str = "", *, calibrated: bool = True
) -> Population:
    """Return the population of some decisions.

    Parameters
    ----------
    policy
        ``either``, ``both``, ``audio`` or ``visual``.
    reviewed
        (n,) bool: which utterances reviewers had decided about when the decisions were made.
    sha256
        Of the file of decisions.
    """
    audio, visual = decided.p_audio_wrong.astype(float), decided.p_visual_wrong.astype(float)
    wrong = decided.p_wrong.astype(float)
    both = np.where(np.isnan(audio), visual, np.where(np.isnan(visual), audio, np.clip(audio + visual - wrong, 0, 1)))
    p = {"either": wrong, "both": both, "audio": audio, "visual": visual}[policy]
    rows = np.flatnonzero(~np.isnan(p))
    speaker = decided.speaker.code[rows].astype(np.int64)
    pair = speaker * max(len(decided.video.names), 1) + decided.video.code[rows]
    unit = np.unique(pair, return_inverse=True)[1].astype(np.int64)
    p = np.clip(p[rows], 0.0, 1.0)
    settled = np.zeros(len(rows), bool) if reviewed is None else reviewed[rows] & ((p == 0) | (p == 1))
    facts: dict[str, Any] = {"policy": policy, "calibrated": calibrated, "decisions_sha256": sha256}
    return Population(
        decided.utterance.take(pa.array(rows)), speaker, unit, decided.speaker.names, p, decided.flagged[rows],
        np.where(settled, p, np.nan), ~np.isnan(audio[rows]), ~np.isnan(visual[rows]),
        unjudged=len(decided) - len(rows), **facts,
    )  # fmt: skip


def _reviewed(run: RunFiles) -> np.ndarray | None:
    with open_table(run.decisions) as file:
        if "review" not in file.schema_arrow.names:
            return None
        column = file.read(columns=["review"])["review"].to_numpy(zero_copy_only=False)
    return np.asarray((column != "") & (column != None))  # noqa: E711  an array of texts, of which some may be null
