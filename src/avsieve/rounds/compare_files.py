"""The rounds compared, from the files of a run to the tables of `results/rounds`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from avsieve.cleansing.inputs import read_plan
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.errors import ConfigError
from avsieve.evaluation.trial_lists import TrialList
from avsieve.lists.train_list import read_train_list
from avsieve.rounds.agreement import NOISY, changes
from avsieve.rounds.audits import audit_rounds, tables_of
from avsieve.rounds.confirmation import assembled, confirmation, ranked
from avsieve.rounds.detection import FIGURES, against_truth
from avsieve.rounds.draws import flattened
from avsieve.rounds.error_rates import error_rates
from avsieve.storage.provenance import sha256_of, versions
from avsieve.storage.tables import read_table

FIRST = "1"
WITHOUT = "-without-"
HELD_OUT, TRAINED = " held out", " trained"
"""What the assembled tables of encoders that lack a part are called, after their round."""
_COLUMNS = ["utterance", "speaker", "p_audio_wrong", "p_visual_wrong", "p_wrong", "kind", "decision"]


@dataclass(frozen=True)
class RoundFiles:
    """What the rounds have left.

    Attributes
    ----------
    plan
        The plan: its training utterances are the list that is cleansed.
    decisions
        ``decisions.parquet``: of the first round, then of each of ``arms``.
    arms
        ``2``, ``2-without-0``, …, in order.
    lists
        What each of them was trained on.
    embeddings
        Modality -> the shards' files: of the first round, then of each round without a part left out.
    kept
        Modalities whose encoder stays that of the first round.
    """

    plan: Path
    decisions: Sequence[Path]
    arms: Sequence[str]
    lists: Sequence[Path]
    embeddings: Mapping[str, Sequence[Sequence[Path]]]
    kept: Sequence[str] = ()

    @property
    def rounds(self) -> list[str]:
        """Names of the rounds, the first among them."""
        return [FIRST, *(arm for arm in self.arms if WITHOUT not in arm)]

    def check(self) -> None:
        """Refuse other numbers of files than the rounds ask for (`ConfigError`)."""
        wanted = {"decisions": (len(self.decisions), len(self.arms) + 1), "lists": (len(self.lists), len(self.arms))}
        wanted |= {name: (len(of), len(self.rounds)) for name, of in self.embeddings.items() if of}
        for name, (found, count) in wanted.items():
            if found != count:
                raise ConfigError(
                    f"{found} {name} for the rounds 1, {', '.join(self.arms)}; expected {count}, in their order"
                )


@dataclass(frozen=True)
class Rounds:
    """What is written.

    Attributes
    ----------
    table
        A row a round.
    facts
        All of it.
    utterances
        A row an utterance.
    """

    table: pd.DataFrame
    facts: dict[str, Any]
    utterances: pd.DataFrame = field(default_factory=pd.DataFrame)


def compare_rounds(
    files: RoundFiles,
    trial_lists: Sequence[TrialList],
    audit: Audit,
    cleansing: Cleansing,
    *,
    truth: pd.DataFrame | None = None,
    definition: str = "interpolated",
    replicates: int = 1000,
    seed: int = 0,
) -> Rounds:
    """Compare each round with the one before it, and measure all of them alike.

    Parameters
    ----------
    files
        Of the rounds.
    trial_lists
        Trials for the error rates of the encoders.
    audit, cleansing
        Settings: which labels are broken, and how a list is cleansed.
    truth
        ``utterance`` and ``kind``, if known.
    definition, replicates, seed
        Of the EER and of all bootstraps.

    Raises
    ------
    ConfigError
        If there are not as many files as rounds.
    AvsieveError
        If an encoder was trained on people of the trials.
    """
    files.check()
    decided = {
        name: read_table(path, _COLUMNS) for name, path in zip([FIRST, *files.arms], files.decisions, strict=True)
    }
    trained_on = {arm: read_train_list(path) for arm, path in zip(files.arms, files.lists, strict=True)}
    rounds = {name: decided[name] for name in files.rounds}
    folds = {name: _assembled(name, decided) for name in files.rounds[1:]}
    everything = rounds | {f"{name}{of}": table for name, found in folds.items() for of, table in _named(found)}
    draws: dict[str, int] = {"replicates": replicates, "seed": seed}
    by_truth = {} if truth is None else against_truth(everything, truth, **draws)
    embeddings = {m: of for m, of in files.embeddings.items() if of}
    audited = audit_rounds(read_plan(files.plan), tables_of(files.rounds, embeddings), audit, cleansing, **draws)
    rates = error_rates(
        trial_lists,
        files.rounds,
        embeddings,
        {name: set(trained_on[name]["speaker"]) for name in files.rounds[1:]},
        definition=definition,
        replicates=replicates,
        seed=seed,
    )
    told = []
    for before, name in zip([None, *files.rounds], files.rounds, strict=False):
        own: dict[str, Any] = {
            "round": name,
            "utterances": len(rounds[name]),
            "flagged": int((rounds[name]["decision"] == NOISY).sum()),
            "expected": _expected(files.decisions[[FIRST, *files.arms].index(name)]),
            "truth": by_truth.get(name),
            "audit": audited.get(name),
            "error_rates": [row for row in rates if row["round"] == name],
        }
        if before is not None:
            rows = trained_on[name]
            own |= {
                "trained_on": {
                    "utterances": len(rows),
                    "speakers": int(rows["speaker"].nunique()),
                    "sha256": sha256_of(files.lists[files.arms.index(name)]),
                },
                "changes": changes(rounds[before], rounds[name], truth),
                "confirmation": confirmation(
                    rounds[before], rounds[name], set(rows["utterance"]), truth=truth, folds=folds[name], **draws
                ),
            }
            own |= {f"truth{of.replace(' ', '_')}": by_truth.get(f"{name}{of}") for of, _ in _named(folds[name])}
        told.append(own)
    facts = {
        "last": files.rounds[-1],
        "trained": [m for m in embeddings if m not in files.kept],
        "kept": list(files.kept),
        "folds": max((len([a for a in files.arms if a.startswith(f"{n}{WITHOUT}")]) for n in files.rounds), default=0),
        "audit_left_out": audited.get("left_out"),
        "speakers": int(rounds[FIRST]["speaker"].nunique()),
        "bootstrap": replicates,
        "eer_definition": definition,
        "versions": versions("numpy"),
        "rounds": told,
    }
    return Rounds(_table(told), facts, _utterances(everything, trained_on, truth))


def _assembled(name: str, decided: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    arms = [table for arm, table in decided.items() if arm.startswith(f"{name}{WITHOUT}")]
    return {"held_out": assembled(arms, held_out=True), "trained": assembled(arms, held_out=False)} if arms else {}


def _named(found: Mapping[str, pd.DataFrame]) -> list[tuple[str, pd.DataFrame]]:
    return [(of, found[key]) for of, key in ((HELD_OUT, "held_out"), (TRAINED, "trained")) if key in found]


def _expected(decisions: Path) -> dict[str, Any]:
    """Return what the round's own probabilities promise, from the summary beside its decisions."""
    summary = json.loads(decisions.with_name("summary.json").read_text(encoding="utf-8"))
    estimated = summary.get("estimated") or {}
    return {name: estimated.get(name) for name in FIGURES}


def _table(told: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the rounds as rows, and behind each what encoders that lack a part say, where there are any."""
    rows = []
    for own in told:
        changed = own.get("changes") or {}
        row: dict[str, Any] = {name: own[name] for name in ("round", "utterances", "flagged")}
        row |= {name: changed.get(name) for name in ("newly_flagged", "acquitted", "kappa", "jaccard")}
        row |= {f"expected_{name}": value for name, value in own["expected"].items()}
        measured = (own["audit"] or {}).get("measured", {})
        for name in FIGURES:
            row |= flattened(f"audit_{name}", measured[name]) if name in measured else {}
        row |= _of_truth(own["truth"])
        headline = own["error_rates"][0]["list"] if own["error_rates"] else None
        for rate in own["error_rates"]:
            if rate["list"] == headline:
                row |= {f"eer_{rate['system']}{key.removeprefix('eer')}": rate[key] for key in rate if "eer" in key}
        rows.append(row)
        folds = [(of, own.get(f"truth{of.replace(' ', '_')}")) for of in (HELD_OUT, TRAINED)]
        rows += [
            {"round": f"{own['round']}{of}", "flagged": found["flagged"]} | _of_truth(found)
            for of, found in folds
            if found
        ]
    counts = dict.fromkeys(("utterances", "flagged", "newly_flagged", "acquitted"), "Int64")
    return pd.DataFrame(rows).astype(counts)


def _of_truth(found: Mapping[str, Any] | None) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in (*FIGURES, *(f"{name}_gain" for name in FIGURES)):
        columns |= flattened(f"truth_{name}", found[name]) if found and name in found else {}
    return columns


def _utterances(
    everything: Mapping[str, pd.DataFrame], trained_on: Mapping[str, pd.DataFrame], truth: pd.DataFrame | None
) -> pd.DataFrame:
    """Return what each round says of each utterance."""
    first = everything[FIRST]
    table = first[["utterance", "speaker"]].copy()
    if truth is not None:
        known = truth.drop_duplicates("utterance").set_index("utterance")["kind"]
        table["truth"] = known.reindex(table["utterance"]).to_numpy()
    for name, rows in everything.items():
        own = (rows if "rank" in rows else ranked(rows)).set_index("utterance").loc[table["utterance"]]
        key = name.replace(" ", "_")
        for column in ("p_wrong", "rank", "decision", "kind"):
            table[f"{column}_{key}"] = own[column].to_numpy()
        if name in trained_on:
            table[f"trained_on_{key}"] = table["utterance"].isin(set(trained_on[name]["utterance"])).to_numpy()
    return table
