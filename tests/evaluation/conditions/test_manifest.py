from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.evaluation.conditions.manifest import Candidates, damage_trials, make_manifest
from avsieve.evaluation.conditions.settings import Damage, conditions_of
from avsieve.evaluation.conditions.table import DamageTable, write_damage
from avsieve.evaluation.trials import make_trial_list, write_no_trials, write_trials
from avsieve.storage.ids import is_valid_id
from avsieve.storage.tables import write_table

NAMES = [f"p{s}/v/{u}" for s in range(10) for u in range(10)]
# The last half is on both sides, and p0 on the enrolment side alone.
TRIALS = make_trial_list([True] * 150, [*NAMES, *NAMES[50:]], [*NAMES[10:], *NAMES[50:], *NAMES[50:60]])
CANDIDATES = Candidates.of([TRIALS])


def rows_of(*entries: object, level: str = "embedding", seed: int = 0) -> pd.DataFrame:
    table = make_manifest(conditions_of(entries), CANDIDATES, level=level, seed=seed)  # type: ignore[arg-type]
    return table.to_pandas()


def test_equal_input_gives_equal_bytes_whatever_the_order_of_the_trials(tmp_path: Path) -> None:
    other = make_trial_list([True] * 150, [TRIALS.utterances[i] for i in TRIALS.enrol[::-1]],
                            [TRIALS.utterances[i] for i in TRIALS.test[::-1]])  # fmt: skip
    for name, trials in (("a", TRIALS), ("b", other)):
        write_damage(tmp_path / name, make_manifest(conditions_of(["standard", "vut"]), Candidates.of([trials])))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_rows_are_sorted_and_one_of_a_condition_utterance_side_and_modality() -> None:
    rows = rows_of("vut", "standard")
    keys = ["condition", "utterance", "side", "modality"]
    assert rows[keys].to_numpy().tolist() == sorted(rows[keys].to_numpy().tolist())
    assert not rows.duplicated(keys).any()
    assert rows["seed"].dtype == np.int64
    assert rows["seed"].is_unique
    assert (rows["seed"] >= 0).all()


def test_another_seed_chooses_others_and_another_condition_beside_it_changes_nothing() -> None:
    entry = {"name": "a", "kind": "blur", "sigma": [1, 3], "share": 0.3}
    rows = rows_of(entry)
    beside = rows_of("standard", entry)
    assert beside[beside["condition"] == "a"].reset_index(drop=True).equals(rows)
    assert set(rows_of(entry, seed=1)["utterance"]) != set(rows["utterance"])
    assert len(rows_of(entry, seed=1)) == len(rows)


@pytest.mark.parametrize(("side", "candidates"), [("enrol", 100), ("test", 90), ("both", 100)])
def test_a_share_is_one_of_the_utterances_on_its_side(side: str, candidates: int) -> None:
    rows = rows_of({"name": "a", "kind": "blur", "side": side, "share": 0.3})
    assert len(rows) == round(0.3 * candidates)
    assert set(rows["side"]) == {side}
    if side == "test":
        assert not rows["utterance"].str.startswith("p0/").any()
    more = rows_of({"name": "a", "kind": "blur", "side": side, "share": 0.6})
    assert set(rows["utterance"]) < set(more["utterance"])


def test_crossed_takes_another_modality_from_either_side() -> None:
    rows = rows_of("standard")
    crossed = rows[rows["condition"] == "crossed"]
    found = crossed.groupby(["side", "modality"]).size().to_dict()
    assert found == {("enrol", "audio"): 100, ("test", "visual"): 90}
    assert set(crossed["version"]) == {""}


def test_the_preset_of_the_thesis_damages_an_utterance_once_at_most() -> None:
    rows = rows_of("vut")
    assert rows["utterance"].is_unique
    assert rows["modality"].value_counts().to_dict() == {"audio": 40, "visual": 40}
    assert rows["kind"].value_counts().to_dict() == {"noise": 40, "crop": 20, "blur": 20}
    sigmas = [json.loads(text)["sigma"] for text in rows.loc[rows["kind"] == "blur", "parameters"]]
    assert len(set(sigmas)) == 20
    assert all(0.1 <= sigma <= 3 for sigma in sigmas)


def test_a_version_is_named_after_its_utterance_and_condition_and_is_an_id() -> None:
    rows = rows_of("standard", "vut", level="signal")
    there = rows["kind"] != "missing"
    assert (rows["version"] == (rows["utterance"] + "@" + rows["condition"]).where(there, "")).all()
    assert all(map(is_valid_id, rows.loc[there, "version"]))


def test_signals_are_damaged_where_the_kind_needs_them_and_only_stand_ins_have_a_similarity() -> None:
    rows = rows_of("standard", level="signal")
    exact = rows["kind"].isin(["missing", "other_person"])
    assert (rows["level"] == np.where(exact, "embedding", "signal")).all()
    assert set(rows_of("standard")["level"]) == {"embedding"}
    assert not rows["parameters"].str.contains("similarity").any()
    assert rows.loc[rows["condition"] == "noise_-5", "parameters"].iloc[0] == '{"snr_db": -5.0, "sound": "white"}'
    stand_ins = rows_of("standard", {"name": "mild", "kind": "noise", "similarity": 0.9})
    of = stand_ins.drop_duplicates("condition").set_index("condition")["parameters"]
    assert of["noise_-5"] == '{"similarity": 0.34, "snr_db": -5.0, "sound": "white"}'
    assert of["mild"] == '{"similarity": 0.9, "snr_db": 5.0, "sound": "white"}'


def test_sounds_are_drawn_for_each_utterance() -> None:
    conditions = Damage(conditions=[{"name": "a", "kind": "noise"}]).chosen
    rows = make_manifest(conditions, CANDIDATES, level="signal").to_pandas()
    sounds = pd.Series([json.loads(text)["sound"] for text in rows["parameters"]]).value_counts()
    assert set(sounds.index) == {"white", "pink", "babble"}
    assert sounds.min() > 15


def test_another_person_is_of_another_speaker_and_in_the_trials() -> None:
    rows = rows_of({"name": "a", "kind": "other_person", "modality": "audio"})
    others = [json.loads(text)["utterance"] for text in rows["parameters"]]
    assert set(others) <= set(NAMES)
    assert all(u.split("/")[0] != o.split("/")[0] for u, o in zip(rows["utterance"], others, strict=True))
    assert len({o.split("/")[0] for o in others}) == 10


def test_where_nobody_else_is_another_person_cannot_be_taken(caplog: pytest.LogCaptureFixture) -> None:
    alone = Candidates.of([make_trial_list([True], ["p/v/1"], ["p/v/2"])])
    table = make_manifest(conditions_of([{"name": "a", "kind": "other_person", "modality": "audio"}]), alone)
    assert len(table) == 0
    assert "a: 1 utterances stay as they are: the trials have no other speaker" in caplog.text
    assert "a: damages no utterance of the trials" in caplog.text


def test_the_table_of_a_run_has_the_utterances_of_its_lists_that_are_in_the_plan(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_trials(tmp_path / "a.txt", make_trial_list([True, False], ["p/v/1", "p/v/1"], ["p/v/2", "x/v/1"]))
    write_trials(tmp_path / "b.txt", make_trial_list([True], ["q/v/1"], ["q/v/2"]))
    write_no_trials(tmp_path / "none.txt", "nobody is trusted")
    write_table(tmp_path / "plan", pd.DataFrame({"utterance": ["p/v/1", "p/v/2", "q/v/1", "q/v/2", "r/v/1"]}))
    damage = Damage(conditions=[{"name": "a", "kind": "blur"}])
    lists = [tmp_path / f"{name}.txt" for name in ("a", "b", "none")]
    said = damage_trials(tmp_path / "out", lists, tmp_path / "plan", damage, level="signal")
    assert said == "a: 2 damaged"
    assert "1 utterances of the trials are not in the plan, for example x/v/1" in caplog.text
    table = DamageTable(tmp_path / "out")
    assert table.conditions == ["a"]
    rows = table.rows("a")
    assert rows["utterance"].tolist() == ["p/v/2", "q/v/2"]
    assert rows["parameters"].tolist() == [{"kernel": 7, "sigma": 3.0}] * 2


def test_without_a_condition_or_a_trial_the_table_is_empty(tmp_path: Path) -> None:
    assert write_damage(tmp_path / "out", make_manifest([], CANDIDATES)) == "no condition"
    assert DamageTable(tmp_path / "out").conditions == []
    write_damage(tmp_path / "out", make_manifest(conditions_of(["standard"]), Candidates.of([])))
    assert DamageTable(tmp_path / "out").conditions == []


def test_a_kind_that_is_not_known_and_a_table_of_something_else_are_refused(tmp_path: Path) -> None:
    rows = rows_of({"name": "a", "kind": "blur"}).assign(kind="smear")
    write_table(tmp_path / "odd", rows)
    with pytest.raises(AvsieveError, match=r"odd: condition a: damage 'smear' is not known; expected one of noise"):
        DamageTable(tmp_path / "odd").rows("a")
    write_table(tmp_path / "odd", rows[["utterance"]])
    with pytest.raises(AvsieveError, match=r"columns .*'condition'.* are missing"):
        DamageTable(tmp_path / "odd")
