from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import AvsieveError
from avsieve.evaluation.trial_lists import TrialList, read_trial_lists
from avsieve.rounds.error_rates import error_rates

from .made_up import names

UTTERANCES = names(4, 2)
SETTINGS = {"definition": "interpolated", "replicates": 20, "seed": 0}


@pytest.fixture
def trials(tmp_path: Path) -> list[TrialList]:
    pairs = [(a, b) for i, a in enumerate(UTTERANCES) for b in UTTERANCES[i + 1 :]]
    lines = [f"{int(a.split('/')[0] == b.split('/')[0])} {a}.wav {b}.wav" for a, b in pairs]
    (tmp_path / "trials.txt").write_text("\n".join(lines) + "\n")
    return read_trial_lists([tmp_path / "trials.txt"], [])


def embedded(folder: Path, name: str, people: list[int]) -> list[Path]:
    """Write embeddings in two shards: those of the same person are the same."""
    files = []
    for shard in (0, 1):
        rows = slice(4 * shard, 4 * shard + 4)
        files.append(folder / f"{name}.{shard}.parquet")
        write_embeddings(files[-1], UTTERANCES[rows], np.eye(5, dtype=np.float32)[people[rows]])
    return files


def test_the_encoders_of_all_rounds_are_measured_on_the_same_trials(trials: list[TrialList], tmp_path: Path) -> None:
    mixed_up, right = [0, 1, 1, 2, 2, 3, 3, 0], [0, 0, 1, 1, 2, 2, 3, 3]
    files = {
        "audio": [embedded(tmp_path, "a1", mixed_up), embedded(tmp_path, "a2", right)],
        "visual": [embedded(tmp_path, "v", right)] * 2,
    }
    rows = error_rates(trials, ["1", "2"], files, {"2": {"somebody"}}, **SETTINGS)
    of = {(row["system"], row["round"]): row for row in rows}
    assert set(of) == {(system, number) for system in ("audio", "visual", "both") for number in "12"}
    # No target trial scores above a nontarget one in round 1: 4 of 4 targets have 0, 4 of 24 nontargets 1.
    assert of["audio", "1"]["eer"] > 0.4
    assert of["audio", "2"]["eer"] == of["visual", "1"]["eer"] == 0.0
    assert of["audio", "2"]["eer_gain"] == of["audio", "1"]["eer"]
    assert of["visual", "2"]["eer_gain"] == 0.0
    assert "eer_gain" not in of["audio", "1"]
    assert {row["n_trials"] for row in rows} == {28}


def test_encoders_that_know_people_of_the_trials_are_refused(trials: list[TrialList], tmp_path: Path) -> None:
    files = {"audio": [embedded(tmp_path, "a", [0] * 8)] * 2}
    with pytest.raises(AvsieveError, match="the encoders of round 2"):
        error_rates(trials, ["1", "2"], files, {"2": {"id1"}}, **SETTINGS)
