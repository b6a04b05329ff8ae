import numpy as np
import pytest
import torch

from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.conditions.manifest import Candidates, make_manifest
from avsieve.evaluation.conditions.settings import conditions_of
from avsieve.evaluation.conditions.table import DamageTable, write_damage
from avsieve.evaluation.results import NothingScoredError
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.trial_maker import make_trials
from avsieve.fusion.evaluate_files import EmbeddingFiles
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.outcome import CONDITION_POINTS, CURVE_POINTS
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.fusion.strata import strata_of
from avsieve.fusion.system import Normalisation, System, untrained_systems
from avsieve.fusion.systems import evaluate_systems
from avsieve.fusion.training import train_fusion

from .made_up import make_people, new_model

HALF = {
    "name": "half",
    "one_of": [{"kind": "missing", "modality": m, "side": "both", "share": 0.2} for m in ("audio", "visual")],
}
UNTRAINED = [name for name, model in MODELS.items() if not model.trained]
TRAIN, SPEAKERS = make_people("train", 20, seed=1, audio_noise=1.7, visual_noise=1.7)
TEST, _ = make_people("test", 12, seed=2, audio_noise=1.7, visual_noise=1.7)
TRIALS = make_trials(TEST.utterances, max_targets=300)


def trained(speakers, name, seed=0):
    torch.manual_seed(seed)
    model = new_model("linear", 24, 16, dim=32)
    train_fusion(model, TRAIN, speakers, Fusion(epochs=15, l2_sp=0.1), seed=seed, device=torch.device("cpu"))
    return System(model, name, seed, frozenset(SPEAKERS))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    rng = np.random.default_rng(0)
    wrong = [s if rng.random() > 0.5 else SPEAKERS[rng.integers(len(SPEAKERS))] for s in SPEAKERS]
    systems = untrained_systems(TEST)
    for seed in (0, 1):
        systems += [trained(wrong, "all", seed), trained(SPEAKERS, "clean", seed)]
    path = tmp_path_factory.mktemp("damage") / "damage.parquet"
    write_damage(path, make_manifest(conditions_of([HALF]), Candidates.of([TRIALS])))
    strata = strata_of(DamageTable(path), TRIALS, TEST, EmbeddingFiles([], []))
    return evaluate_systems(TRIALS, TEST, systems, replicates=50, strata=strata)


def test_every_system_has_a_row_per_condition(outcome):
    rows = outcome.results
    assert len(rows) == 3 * (len(UNTRAINED) + 4)
    assert rows["condition"].unique().tolist() == ["whole", "half", "pooled"]
    whole = rows[rows["condition"] == "whole"]
    assert whole["model"].tolist()[: len(UNTRAINED)] == UNTRAINED
    assert (whole["n_missing"] == 0).all()
    totals = (rows["n_trials"] + rows["n_missing"]).groupby(rows["condition"]).unique()
    assert totals["whole"].tolist() == [len(TRIALS)]
    assert totals["pooled"].tolist() == [len(TRIALS) + totals["half"][0]]
    assert (rows["eer_low"] <= rows["eer"]).all()
    assert (rows["eer"] <= rows["eer_high"]).all()


def test_damage_leaves_trials_that_one_modality_cannot_score_and_fusion_can(outcome):
    damaged = outcome.results[outcome.results["condition"] == "half"].set_index("model")
    assert damaged.loc["audio", "n_missing"] > 0
    assert damaged.loc["score_average", "n_missing"] < damaged.loc["audio", "n_missing"]
    assert (damaged.loc["linear", "n_missing"] == 0).all()


def test_the_gain_is_positive_where_half_of_the_labels_were_wrong_and_paired(outcome):
    gain = outcome.gains[outcome.gains["condition"] == "whole"].iloc[0]
    assert (gain["model"], gain["seeds"]) == ("linear", 2)
    assert gain["eer_gain"] == pytest.approx(gain["eer_all"] - gain["eer_clean"])
    assert gain["eer_gain"] > 0
    assert gain["eer_gain_low"] < gain["eer_gain"] < gain["eer_gain_high"]
    assert outcome.gains["condition"].tolist() == ["whole", "half", "pooled"]


def test_curves_have_every_system(outcome):
    assert set(outcome.curves["model"]) == {*UNTRAINED, "linear"}
    assert set(outcome.curves["trained_on"]) == {"-", "all", "clean"}


def test_curves_stand_for_every_condition_and_the_pool_and_are_short(outcome):
    curves = outcome.curves
    assert list(dict.fromkeys(curves["condition"])) == ["whole", "half", "pooled"]
    # Two seeds of a model follow one another, each from the left on.
    per_curve = curves.groupby(["model", "trained_on", "condition"]).size()
    assert per_curve["linear", "clean", "pooled"] == per_curve["linear", "clean", "pooled"].max() > 10
    starts = curves[curves["model"] == "linear"].groupby(["trained_on", "condition"])["fpr"]
    assert (starts.agg(lambda fpr: (fpr.diff() < 0).sum()) == 1).all()
    assert (per_curve.xs("half", level="condition") <= 2 * CONDITION_POINTS).all()
    assert (per_curve <= 2 * CURVE_POINTS).all()


def test_without_faces_only_the_voice_is_evaluated():
    none = Stream(np.zeros((len(TEST), 0), dtype=np.float32), np.zeros(len(TEST), dtype=bool))
    systems = untrained_systems(Inputs(TEST.utterances, TEST.audio, none))
    assert [s.model.name for s in systems] == ["audio"]


def test_a_model_trained_on_a_test_speaker_is_refused():
    system = System(untrained_systems(TEST)[0].model, "all", 0, frozenset({"test03"}))
    with pytest.raises(AvsieveError, match=r"audio \(all\): 1 of 12 speakers"):
        evaluate_systems(TRIALS, TEST, [system])


def test_normalised_scores_and_segments_stand_beside_raw_scores_which_they_leave_alone():
    cohort = Cohort(TRAIN.utterances, 8)
    sides = {"audio": (TEST.audio, TRAIN.audio), "visual": (TEST.visual, TRAIN.visual)}
    segments = {m: Part.of(own.pooled) for m, (own, _) in sides.items()}
    others = {m: Part.of(other.pooled) for m, (_, other) in sides.items()}
    systems = [*untrained_systems(TEST), trained(SPEAKERS, "all"), trained(SPEAKERS, "clean")]
    plain = evaluate_systems(TRIALS, TEST, systems, replicates=0).results
    found = evaluate_systems(
        TRIALS, TEST, systems, replicates=0, segments=segments, normalisation=Normalisation(cohort, TRAIN, others)
    )

    def eers(protocol, scores):
        rows = found.results
        rows = rows[(rows["protocol"] == protocol) & (rows["scores"] == scores)]
        return list(zip(rows["model"], rows["eer"], strict=True))

    assert eers("full", "raw") == list(zip(plain["model"], plain["eer"], strict=True))
    assert len(eers("full", "as_norm")) == len(systems)
    # One segment an utterance, and its pooled embedding: both protocols agree.
    for way in ("raw", "as_norm"):
        by_segments, whole = eers("segments", way), dict(eers("full", way))
        assert [model for model, _ in by_segments] == ["audio", "visual", "score_average"]
        for model, eer in by_segments:
            assert eer == pytest.approx(whole[model], abs=1e-3)
    assert found.gains[["model", "protocol", "scores"]].to_numpy().tolist() == [
        ["linear", "full", "raw"], ["linear", "full", "as_norm"],
    ]  # fmt: skip
    assert len(found.curves) == len(evaluate_systems(TRIALS, TEST, systems, replicates=0).curves)


def test_a_cohort_of_test_people_is_refused():
    normalisation = Normalisation(Cohort(TEST.utterances, 4), TEST)
    with pytest.raises(AvsieveError, match="12 of 12 cohort speakers are in the trials"):
        evaluate_systems(TRIALS, TEST, untrained_systems(TEST), normalisation=normalisation)


def test_a_system_that_can_score_nothing_is_an_error_or_left_out():
    only = np.array([u.startswith("test00") for u in TEST.utterances])
    alone = Inputs(TEST.utterances, TEST.audio.without(~only), TEST.visual)  # one person is heard: no nontarget trial
    with pytest.raises(NothingScoredError, match="could be scored"):
        evaluate_systems(TRIALS, alone, untrained_systems(alone), replicates=0)
    found = evaluate_systems(TRIALS, alone, untrained_systems(alone), replicates=0, lenient=True)
    assert set(found.results["model"]) == {"visual", "score_average", "concatenation"}
    nobody = Inputs(TEST.utterances, TEST.audio.without(~only), TEST.visual.without(~only))
    with pytest.raises(NothingScoredError):
        evaluate_systems(TRIALS, nobody, untrained_systems(nobody), replicates=0, lenient=True)
