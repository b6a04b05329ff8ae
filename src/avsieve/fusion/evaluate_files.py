"""Every fusion model on every trial list, from the files of a run to the tables of its evaluation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.conditions.table import DamageTable
from avsieve.evaluation.labels import OFFICIAL
from avsieve.evaluation.metrics import CALIBRATED, METRICS
from avsieve.evaluation.results import evaluated, listed_speakers, refuse_seen_speakers
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.segments import read_segments
from avsieve.evaluation.trial_lists import TrialList
from avsieve.evaluation.trials import Trials
from avsieve.fusion.base import TrainedModel
from avsieve.fusion.checkpoint import left_out, load_fusion
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.outcome import (
    AGAINST_COLUMNS,
    CURVE_COLUMNS,
    GAIN_COLUMNS,
    RESULT_COLUMNS,
    TIME_COLUMNS,
    Outcome,
)
from avsieve.fusion.sequence_files import read_modality
from avsieve.fusion.strata import strata_of
from avsieve.fusion.system import Normalisation, System, untrained_systems
from avsieve.fusion.systems import evaluate_systems
from avsieve.lists.layouts import read_corpus_list
from avsieve.storage.atomic import write_text
from avsieve.storage.provenance import sha256_of
from avsieve.storage.tables import write_table

logger = logging.getLogger(__name__)

_OF_LIST = ["list", "labels", "trials", "trials_version", "trials_sha256", "eer_definition"]
_SHOWN = ["list", "model", "trained_on", "condition", "protocol", "scores", "eer", "n_missing"]


@dataclass(frozen=True)
class EmbeddingFiles:
    """Embeddings of a run's shards.

    Those of segments and single faces are there where they are scored or a model reads them, those of damaged versions
    where signals were damaged.
    """

    audio: Sequence[Path]
    visual: Sequence[Path]
    audio_segments: Sequence[Path] = ()
    visual_frames: Sequence[Path] = ()
    frames: int = 1
    """Faces of an utterance in the segment protocol."""
    damaged_audio: Sequence[Path] = ()
    damaged_visual: Sequence[Path] = ()
    damaged_audio_segments: Sequence[Path] = ()
    damaged_visual_frames: Sequence[Path] = ()
    by_segments: bool = True
    """Whether segments and faces are scored (the segment protocol)."""
    scratch: Path = Path()
    """Where sequences that are too large for the memory are put (`avsieve.fusion.sequence_files`)."""
    sequences: tuple[str, ...] = ()
    """Names of the sequences that models read."""

    def inputs(self, utterances: list[str]) -> Inputs:
        """Return both modalities of some utterances."""
        return Inputs(utterances, self.stream("audio", utterances), self.stream("visual", utterances))

    def stream(self, modality: str, utterances: list[str]) -> Stream:
        """Return one modality of some utterances."""
        paths = {"audio": (self.audio, self.audio_segments), "visual": (self.visual, self.visual_frames)}[modality]
        return read_modality(modality, utterances, *paths, self.sequences, scratch=self.scratch)

    def damaged(self, modality: str, versions: list[str]) -> Stream:
        """Return one modality of damaged versions, by their ids; absent where a version is in no table.

        Raises
        ------
        AvsieveError
            If there are no tables of it at all.
        """
        paths, items = {
            "audio": (self.damaged_audio, self.damaged_audio_segments),
            "visual": (self.damaged_visual, self.damaged_visual_frames),
        }[modality]
        if not paths:
            raise AvsieveError(
                f"{len(versions)} damaged {modality} signals are to be evaluated, for example {versions[0]}, and there "
                f"is no table of their embeddings; give --damaged-{modality}, or set evaluation.damage.level to "
                "embedding"
            )
        return read_modality(modality, versions, paths, items, self.sequences, scratch=self.scratch)

    def segments(self, utterances: list[str]) -> dict[str, Part]:
        """Return the mean vectors of their segments and faces, for the modalities that have any."""
        if not self.by_segments:
            return {}
        of = {"audio": (self.audio_segments, None), "visual": (self.visual_frames, self.frames)}
        return {m: read_segments(utterances, paths, frames) for m, (paths, frames) in of.items() if paths}


@dataclass
class Tables:
    """What is written: a table each of what evaluations find, and what is told of lists and models."""

    definition: str
    results: list[pd.DataFrame] = field(default_factory=list)
    gains: list[pd.DataFrame] = field(default_factory=list)
    curves: list[pd.DataFrame] = field(default_factory=list)
    against: list[pd.DataFrame] = field(default_factory=list)
    times: list[pd.DataFrame] = field(default_factory=list)
    lists: list[dict[str, Any]] = field(default_factory=list)
    models_left_out: dict[str, str] = field(default_factory=dict)

    @property
    def left_out(self) -> str:
        """Why there are no results at all; nothing where there are some."""
        return "" if self.results else "; ".join(dict.fromkeys(facts["left_out"] for facts in self.lists))

    def add(self, item: TrialList, outcome: Outcome) -> None:
        """Add what a list gave."""
        columns = item.columns() | {"eer_definition": self.definition}
        self.results.append(outcome.results.assign(**columns))
        self.gains.append(outcome.gains.assign(**columns))
        self.against.append(outcome.against.assign(**columns))
        self.times.append(outcome.times.assign(list=item.name, labels=item.labels))
        self.curves.append(outcome.curves.assign(list=item.name, labels=item.labels))
        logger.info("%s:\n%s", item.words, self.results[-1][_SHOWN].to_string(index=False))

    def write(self, *, results: Path, gains: Path, curves: Path, against: Path, times: Path) -> None:
        """Write the tables."""
        table = _with_figures(_joined(self.results, [*RESULT_COLUMNS, *_OF_LIST]))
        write_text(results, table.to_csv(index=False, float_format="%.6f", na_rep="-"))
        for path, tables, columns in (
            (gains, self.gains, [*GAIN_COLUMNS, *_OF_LIST]),
            (against, self.against, [*AGAINST_COLUMNS, *_OF_LIST]),
            (times, self.times, [*TIME_COLUMNS, "list", "labels"]),
        ):
            write_text(path, _joined(tables, columns).to_csv(index=False, float_format="%.6f"))
        write_table(curves, _joined(self.curves, [*CURVE_COLUMNS, "list", "labels"]))


def _joined(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    whole = [table for table in tables if len(table)]
    return pd.concat(whole, ignore_index=True) if whole else pd.DataFrame(columns=columns)


def _with_figures(results: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of figures that no system has, behind those that all have."""
    columns = [column for column in results if column not in CALIBRATED]
    at = 1 + max(columns.index(name) for name in METRICS if name in columns)
    return results.reindex(columns=[*columns[:at], *CALIBRATED, *columns[at:]])


def name_of(path: Path) -> str:
    """Return what messages and provenance call a model: the list that it was trained on and its file."""
    return path.name if path.parent == path else f"{path.parent.name}/{path.name}"


def evaluate_lists(
    lists: Sequence[TrialList],
    files: EmbeddingFiles,
    models: Sequence[Path],
    *,
    trained_on: Sequence[str | Path],
    cohort: Path | None,
    top: int | None,
    definition: str,
    replicates: int,
    damage: Path | None,
    seed: int,
    device: torch.device,
    joint: Sequence[System] = (),
) -> Tables:
    """Evaluate every model, trained or not, on each list.

    Parameters
    ----------
    lists, files, models
        The trials, the embeddings, and the trained models.
    trained_on
        Training lists of the encoders: trials of their speakers are refused.
    cohort, top
        List of the AS-norm's cohort, and how many of its nearest speakers count; without it there are raw scores only.
    definition, replicates, seed
        See `avsieve.fusion.systems.evaluate_systems`.
    damage
        The table of damages (`avsieve.evaluation.conditions.table`); without one the lists are evaluated as they are.
    joint
        More systems: those that the utterances were embedded with already.

    Raises
    ------
    NothingScoredError
        If a list that the user named cannot be scored. What a run makes of itself may not suffice, and is left out.
    AvsieveError
        If an encoder or a model was trained on a speaker of one of the lists: before any is evaluated.
    """
    tables = Tables(definition)
    damages = None if damage is None else DamageTable(damage)
    trained = []
    for path in sorted(models):
        if reason := left_out(path):
            logger.warning("%s was not trained: %s", name_of(path), reason)
            tables.models_left_out[name_of(path)] = reason
            continue
        found = load_fusion(path, device)
        trained.append(System(found.model, found.trained_on, found.seed, frozenset(found.speakers)))
    trained += joint
    read = dict.fromkeys(
        name
        for system in trained
        if isinstance(system.model, TrainedModel)
        for name in system.model.reads(system.model.own)
    )
    files = replace(files, sequences=tuple(read))
    normalisation = None
    if cohort is not None and top is not None and any(item.trials is not None for item in lists):
        names = read_corpus_list(cohort)["utterance"].tolist()
        normalisation = Normalisation(Cohort(names, top), files.inputs(names), files.segments(names))

    seen = [(listed_speakers(path), f"an encoder trained on {path}") for path in trained_on]
    seen += [(set(system.speakers), f"{system.model.name} ({system.trained_on})") for system in trained]
    for item in lists:
        if item.trials is None:
            continue
        for speakers, model in seen:
            refuse_seen_speakers(item.trials, speakers, model, item.words)

    def outcome_of(trials: Trials, *, lenient: bool) -> Outcome:
        inputs = files.inputs(trials.utterances)
        return evaluate_systems(
            trials,
            inputs,
            [*untrained_systems(inputs), *trained],
            definition=definition,
            replicates=replicates,
            strata=None if damages is None else strata_of(damages, trials, inputs, files),
            segments=files.segments(trials.utterances),
            normalisation=normalisation,
            lenient=lenient,
            seed=seed,
        )

    for item in lists:
        outcome, facts = evaluated(item, partial(outcome_of, lenient=item.labels != OFFICIAL))
        tables.lists.append(facts)
        if outcome is None:
            logger.warning("%s: left out: %s", item.words, facts["left_out"])
        else:
            tables.add(item, outcome)
    return tables


def facts_of_cohort(cohort: Path | None, top: int | None) -> dict[str, Any] | None:
    """Return what provenance tells of the cohort."""
    return None if cohort is None else {"cohort_sha256": sha256_of(cohort), "top": top}
