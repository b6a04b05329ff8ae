"""Both lists compared, from the files of a run to the tables of its comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from avsieve.comparison.gains import Comparison, compare_arms, read_arms
from avsieve.errors import AvsieveError, ConfigError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.results import evaluated, read_evaluation, refuse_seen_speakers
from avsieve.evaluation.trial_lists import TrialList
from avsieve.evaluation.trials import Trials
from avsieve.lists.layouts import read_corpus_list
from avsieve.storage.provenance import sha256_of, versions


@dataclass(frozen=True)
class Compared:
    """What is written.

    Attributes
    ----------
    gains, runs, curves
        As of `avsieve.comparison.gains.Comparison`, over all lists of trials; the gains of the fusion models stand
        among them.
    facts
        Lists, trials, seeds and settings.
    """

    gains: pd.DataFrame
    runs: pd.DataFrame
    curves: pd.DataFrame
    facts: dict[str, Any]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The gains row by row, None where there is no value."""
        return [
            {str(k): v for k, v in row.items()}
            for row in self.gains.astype(object).where(self.gains.notna(), None).to_dict("records")
        ]


def compare_files(
    trial_lists: Sequence[TrialList],
    arms: Mapping[str, Path],
    embeddings: Mapping[str, Mapping[str, Sequence[Path]]],
    seeds: Sequence[int],
    *,
    cohort: Path | None,
    top: int | None,
    fusion: Path,
    definition: str,
    replicates: int,
    seed: int,
) -> Compared:
    """Evaluate every encoder on each list of trials, and each training list against the other.

    Parameters
    ----------
    trial_lists
        The trials.
    arms
        Name of an arm -> the list that it was trained on.
    embeddings
        Modality -> arm -> embeddings of the trials, one file for each seed; a modality without files is left out.
    seeds
        Of the trainings, in the order of the files.
    cohort, top
        List of the AS-norm's cohort, and how many of its nearest speakers count; without it there are raw scores only.
    fusion
        Gains of the fusion models.
    definition, replicates, seed
        Of the EER and of the bootstrap.

    Raises
    ------
    AvsieveError
        If an encoder was trained on people of the trials, or there is nothing to compare on.
    ConfigError
        If there are not as many files as seeds.
    """
    lists = {name: _arm(path, trial_lists) for name, path in arms.items()}
    frozen = None
    if cohort is not None and top is not None:
        frozen = Cohort(read_corpus_list(cohort)["utterance"].tolist(), top)
    files = {modality: of for modality, of in embeddings.items() if any(of.values())}
    for modality, of in files.items():
        for arm, paths in of.items():
            if len(paths) != len(seeds):
                raise ConfigError(f"{len(paths)} files of {modality} for `{arm}` but {len(seeds)} seeds")

    def compared(trials: Trials) -> Comparison:
        return compare_arms(
            trials,
            read_arms(trials, files, seeds, frozen),
            cohort=frozen,
            definition=definition,
            replicates=replicates,
            seed=seed,
        )

    fused = _fused(fusion)
    gains, runs, curves, told = [], [], [], []
    for item in trial_lists:
        found, facts_of = evaluated(item, compared)
        told.append(facts_of)
        if found is None:
            continue
        gains.append(found.gains.assign(**item.columns()))
        if len(fused) and item.name in set(fused["list"]):
            gains.append(fused.loc[fused["list"] == item.name, [c for c in gains[-1] if c in fused]])
        runs.append(found.runs.assign(list=item.name, labels=item.labels))
        curves.append(found.curves.assign(list=item.name, labels=item.labels))
    if not gains:
        reasons = "; ".join(dict.fromkeys(facts["left_out"] for facts in told))
        raise AvsieveError(f"there is nothing to compare on: {reasons}; name a trial list in evaluation.trials")
    facts = {
        **next(facts for facts in told if not facts["left_out"]),
        "trial_lists": told,
        "eer_definition": definition,
        "seeds": list(seeds),
        "bootstrap": replicates,
        "lists": lists,
        "as_norm": None if cohort is None else {"cohort_sha256": sha256_of(cohort), "top": top},
        "versions": versions("numpy"),
    }
    table, every, drawn = (pd.concat(tables, ignore_index=True) for tables in (gains, runs, curves))
    return Compared(table, every, drawn, facts)


def _arm(path: Path, trial_lists: Sequence[TrialList]) -> dict[str, Any]:
    """Return the facts of a training list; refuse one with people of the trials."""
    rows = read_corpus_list(path)
    for item in trial_lists:
        if item.trials is not None:
            refuse_seen_speakers(item.trials, set(rows["speaker"]), f"what was trained on {path.name}", item.words)
    return {"utterances": len(rows), "speakers": int(rows["speaker"].nunique()), "sha256": sha256_of(path)}


def _fused(path: Path) -> pd.DataFrame:
    """Return the gains of the fusion models on whole utterances, under the names that the comparison has."""
    table = read_evaluation(path)
    if len(table):
        table = table[(table["condition"] == "whole") & (table["protocol"] == "full")]
    return table.rename(columns={"model": "system"})
