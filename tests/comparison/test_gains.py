import pytest

from avsieve.comparison.gains import compare_arms
from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.ways import Embedded

from .made_up import COHORT, TRIALS, embed


def arm(noise, seeds, cohort=True):
    return {
        s: Embedded(
            Part.of(embed(TRIALS.utterances, noise, s)), Part.of(embed(COHORT, noise, 50 + s)) if cohort else None
        )
        for s in seeds
    }


def test_a_list_that_makes_better_encoders_gains_in_every_system_raw_and_normalised():
    embedded = {
        "audio": {"all": arm(2.0, range(3)), "clean": arm(0.9, range(3))},
        "visual": {"all": arm(1.6, range(3)), "clean": arm(0.8, range(3))},
    }
    found = compare_arms(TRIALS, embedded, cohort=Cohort(COHORT, 10), replicates=100)
    systems = ["audio_encoder", "visual_encoder", "both_encoders"]
    assert list(zip(found.gains["system"], found.gains["scores"], strict=True)) == [
        (s, kind) for s in systems for kind in ("raw", "as_norm")
    ]
    assert (found.gains["eer_gain_low"] > 0).all()
    assert len(found.runs) == 3 * 2 * 2 * 3
    gain = found.gains.set_index(["system", "scores"]).loc[("audio_encoder", "raw")]
    own = found.runs[(found.runs["system"] == "audio_encoder") & (found.runs["scores"] == "raw")]
    assert gain["eer_all"] == pytest.approx(own.loc[own["trained_on"] == "all", "eer"].mean())
    assert set(found.curves["trained_on"]) == {"all", "clean"}


def test_with_one_modality_there_is_one_system_and_without_a_cohort_no_normalised_score():
    embedded = {"audio": {"all": arm(2.0, (4,), cohort=False), "clean": arm(0.9, (4,), cohort=False)}}
    found = compare_arms(TRIALS, embedded, replicates=20)
    assert found.gains[["system", "scores"]].to_numpy().tolist() == [["audio_encoder", "raw"]]


def test_seeds_that_do_not_fit_are_refused():
    embedded = {"audio": {"all": arm(2.0, (0,)), "clean": arm(2.0, (1,))}}
    with pytest.raises(AvsieveError, match="a paired comparison needs the same"):
        compare_arms(TRIALS, embedded, replicates=0)
