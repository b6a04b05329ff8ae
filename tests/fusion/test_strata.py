from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.evaluation.conditions.manifest import Candidates, make_manifest
from avsieve.evaluation.conditions.registry import PRESETS
from avsieve.evaluation.conditions.settings import conditions_of
from avsieve.evaluation.conditions.table import DamageTable, write_damage
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.trial_maker import make_trials
from avsieve.evaluation.trials import Trials, make_trial_list
from avsieve.fusion.base import FusionModel
from avsieve.fusion.damage import variants_of
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.strata import Stratum, strata_of
from avsieve.fusion.system import System, untrained_systems
from avsieve.fusion.systems import evaluate_systems

from .made_up import make_people, new_model

PEOPLE, _ = make_people("test", 8, seed=2, audio_noise=1.7, visual_noise=1.7)
TRIALS = make_trials(PEOPLE.utterances, max_targets=200)
PLACE = {utterance: k for k, utterance in enumerate(PEOPLE.utterances)}
SIDES = {"enrol": ("enrol",), "test": ("test",), "both": ("enrol", "test")}


class Held:
    """Embeddings in memory, of which no version is."""

    def stream(self, modality: str, utterances: list[str]) -> Stream:
        return PEOPLE.streams[modality].of(np.array([PLACE[u] for u in utterances]))

    def damaged(self, modality: str, versions: list[str]) -> Stream:
        raise AssertionError(f"{modality}: nothing was damaged as a signal")


def in_order(trials: Trials) -> Inputs:
    return PEOPLE.of(np.array([PLACE[u] for u in trials.utterances]))


SOME = [
    {"name": "noise", "kind": "noise", "share": 0.5},
    {"name": "no_face", "kind": "missing", "modality": "visual", "side": "both", "share": 0.5},
    {"name": "other", "kind": "other_person", "modality": "audio", "side": "enrol"},
    PRESETS["standard"][-3],  # crossed
    *PRESETS["vut"],
]


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> DamageTable:
    path = tmp_path_factory.mktemp("strata") / "damage"
    write_damage(path, make_manifest(conditions_of(SOME), Candidates.of([TRIALS])))
    return DamageTable(path)


def copied(stratum: Stratum, rows: pd.DataFrame) -> tuple[Inputs, np.ndarray]:
    """Return the inputs of all trials' sides, each a copy that is damaged by itself, and which trials are damaged."""
    sides = in_order(TRIALS).of(np.concatenate([TRIALS.enrol, TRIALS.test]))
    n = len(TRIALS)
    hit = np.zeros(n, bool)
    variants = variants_of(TRIALS, rows)
    to = np.concatenate([variants.enrol[TRIALS.enrol], variants.test[TRIALS.test]]) - len(TRIALS.utterances)
    of = {(row.utterance, side, row.modality): row for row in rows.itertuples() for side in SIDES[row.side]}
    streams = {}
    for modality, stream in sides.streams.items():
        pooled, present = stream.pooled.copy(), stream.present.copy()
        for k, utterance in enumerate(sides.utterances):
            row = of.get((utterance, "enrol" if k < n else "test", modality))
            if row is None:
                continue
            hit[k % n] = True
            if row.kind == "missing":
                present[k], pooled[k] = False, 0
            elif row.kind == "other_person":
                pooled[k] = PEOPLE.streams[modality].pooled[PLACE[row.parameters["utterance"]]]
            else:  # stand-ins are tested by themselves
                pooled[k] = stratum.inputs.streams[modality].pooled[to[k]]
        streams[modality] = Stream(pooled, present)
    return Inputs(sides.utterances, streams["audio"], streams["visual"]), hit


def test_damaged_rows_behind_the_whole_ones_score_as_copies_of_all_sides_do(table: DamageTable) -> None:
    own = in_order(TRIALS)
    n = len(TRIALS)
    systems = [system.model for system in untrained_systems(own)]
    systems += [new_model(name, 24, 16, dim=8) for name in ("gated", "calibrated")]
    whole = [model.encode(own) for model in systems]
    found = {stratum.name: stratum for stratum in strata_of(table, TRIALS, own, Held())}
    assert sorted(found) == ["crossed", "no_face", "noise", "other", "vut"]
    for name, stratum in found.items():
        inputs, hit = copied(stratum, table.rows(name))
        assert len(stratum.trials) == hit.sum() > 0
        assert np.array_equal(stratum.trials.is_target, TRIALS.is_target[hit])
        for model, parts in zip(systems, whole, strict=True):
            naive = model.score(model.encode(inputs), np.arange(n)[hit], n + np.arange(n)[hit])
            assert stratum.scores(model, parts) == pytest.approx(naive, abs=2e-6, nan_ok=True), (name, model.name)
        clean = systems[2].score(whole[2], stratum.trials.enrol, stratum.trials.test)
        assert not np.allclose(stratum.scores(systems[2], whole[2]), clean, equal_nan=True)


def test_a_stratum_is_the_trials_of_which_a_side_is_damaged(tmp_path: Path) -> None:
    trials = make_trial_list([True, False, True], ["a/v/1", "a/v/1", "b/v/2"], ["a/v/2", "b/v/1", "b/v/3"])
    write_damage(
        tmp_path / "damage",
        make_manifest(
            conditions_of([{"name": "gone", "kind": "missing", "modality": "audio", "share": 0.34}]),
            Candidates.of([trials]),
        ),
    )
    table = DamageTable(tmp_path / "damage")
    (damaged,) = table.rows("gone")["utterance"]
    people, _ = make_people("x", 1, videos=1, utterances=5)
    (stratum,) = strata_of(table, trials, Inputs(trials.utterances, people.audio, people.visual), Held())
    assert [trials.utterances[k] for k in stratum.trials.test] == [damaged]
    assert stratum.test.tolist() == [5]
    assert len(stratum.inputs) == 1


def test_a_condition_that_damages_no_trial_of_a_list_is_left_out(tmp_path: Path, caplog) -> None:
    write_damage(
        tmp_path / "damage",
        make_manifest(conditions_of(["standard"]), Candidates.of([make_trial_list([True], ["q/v/1"], ["q/v/2"])])),
    )
    assert list(strata_of(DamageTable(tmp_path / "damage"), TRIALS, in_order(TRIALS), Held())) == []
    assert "crossed: damages none of the 400 trials: left out" in caplog.text


class ByHand(FusionModel):
    """Scores a trial by the number that stands in its test side's face."""

    name, label = "by_hand", "by hand"

    def encode(self, inputs: Inputs) -> list[Part]:
        return [Part(inputs.visual.pooled, inputs.visual.present)]

    def score(self, encoded, enrol, test):
        return np.where(encoded[0].present[test], encoded[0].vectors[test, 0], np.nan).astype(np.float32)


def numbers(utterances: list[str], values: list[float], present: list[bool] | None = None) -> Inputs:
    there = np.ones(len(values), bool) if present is None else np.array(present)
    stream = Stream(np.array(values, np.float32)[:, None], there)
    return Inputs(utterances, stream, stream)


# Four targets, four nontargets, each test side by itself; scores as they are: 8 7 6 5 | 4 3 2 1, EER 0.
LABELS = [True] * 4 + [False] * 4
LIST = make_trial_list(LABELS, ["e/v/0"] * 8, [f"{'e' if k < 4 else 'f'}/v/{k + 1}" for k in range(8)])
OWN = numbers(LIST.utterances, [0, 8, 7, 6, 5, 4, 3, 2, 1])


def stratum(name: str, values: list[float], present: list[bool] | None = None, hit: slice = slice(None)) -> Stratum:
    """Return all trials, or some, with other numbers on their test sides."""
    own = Trials(LIST.utterances, LIST.enrol[hit], LIST.test[hit], LIST.is_target[hit])
    return Stratum(name, own, numbers(["-"] * len(values), values, present), own.enrol, 9 + np.arange(len(values)))


def evaluated(*found: Stratum):
    systems = [System(ByHand())]
    return evaluate_systems(LIST, OWN, systems, replicates=0, strata=iter(found)).results.set_index("condition")


def test_each_stratum_has_its_rate_and_all_trials_have_one_under_one_threshold():
    # In `low` all scores fall by 6: perfect by itself; its targets lie where the list's nontargets do.
    rows = evaluated(stratum("low", [2, 1, 0, -1, -2, -3, -4, -5]))
    # Of 8 targets 1, 0, -1 lie below 2, and of 8 nontargets 4, 3, 2 do not.
    assert rows["eer"].to_dict() == pytest.approx({"whole": 0.0, "low": 0.0, "pooled": 3 / 8})
    assert rows["n_trials"].to_dict() == {"whole": 8, "low": 8, "pooled": 16}
    assert rows["n_speakers"].tolist() == [2, 2, 2]
    mixed = evaluated(stratum("mixed", [8, 7, 2, 1, 6, 5, 4, 3]))
    # Of 8 targets 2, 1 lie below 5, and of 8 nontargets 6, 5 do not.
    assert mixed["eer"].to_dict() == pytest.approx({"whole": 0.0, "mixed": 0.5, "pooled": 2 / 8})


def test_what_a_condition_leaves_without_a_score_is_counted_in_the_stratum_and_in_the_pool():
    rows = evaluated(stratum("some", [8, 7, 6, 5, 4, 3, 2, 1], [True, False] * 4))
    assert rows.loc["some", ["n_trials", "n_missing", "n_targets"]].tolist() == [4, 4, 2]
    assert rows.loc["pooled", ["n_trials", "n_missing", "n_targets"]].tolist() == [12, 4, 6]


def test_a_stratum_without_scores_or_without_one_of_both_sorts_is_left_out_and_still_pooled(caplog):
    none = stratum("none", [0] * 8, [False] * 8)
    targets = stratum("targets", [8, 7, 6, 5], hit=slice(4))
    rows = evaluated(none, targets)
    assert rows.index.tolist() == ["whole", "pooled"]
    assert rows.loc["pooled", ["n_trials", "n_missing"]].tolist() == [12, 8]
    assert "by_hand (-), none full raw: left out: 0 target and 0 nontarget trials of 8 scored" in caplog.text
    assert "by_hand (-), targets full raw: left out: 4 target and 0 nontarget trials of 4 scored" in caplog.text


class Chance(ByHand):
    """Scores what it cannot know, too."""

    name = "chance"

    def score(self, encoded, enrol, test):
        return encoded[0].vectors[test, 0].astype(np.float32)


def test_trials_whose_sides_have_nothing_in_common_are_in_no_pool_whoever_scores_them():
    crossed = stratum("crossed", [1, 2, 3, 4, 5, 6, 7, 8], [False] * 8)
    rows = evaluate_systems(LIST, OWN, [System(Chance())], replicates=0, strata=iter([crossed])).results
    rows = rows.set_index("condition")
    assert rows["eer"].to_dict() == pytest.approx({"whole": 0.0, "crossed": 1.0, "pooled": 0.0})
    assert rows.loc["pooled", ["n_trials", "n_missing"]].tolist() == [8, 8]


def test_without_a_stratum_nothing_is_pooled():
    assert evaluated().index.tolist() == ["whole"]


def test_inputs_of_one_stratum_are_held_at_a_time():
    held = []

    def one_after_the_other():
        for name in ("a", "b"):
            held.append(name)
            yield stratum(name, [8, 7, 6, 5, 4, 3, 2, 1])
            held.remove(name)
            assert held == []

    rows = evaluate_systems(LIST, OWN, [System(ByHand())] * 2, replicates=0, strata=one_after_the_other()).results
    assert rows["condition"].tolist() == ["whole"] * 2 + ["a"] * 2 + ["b"] * 2 + ["pooled"] * 2
