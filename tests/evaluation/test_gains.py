import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.evaluation.bootstrap import interval
from avsieve.evaluation.gains import mean_over_seeds, paired_gain
from avsieve.evaluation.results import evaluate
from avsieve.evaluation.trials import Trials

SPEAKERS, PER_SPEAKER = 30, 6


def made_up(seed=0):
    """All pairs of a few utterances of each speaker, half of the impostors left out."""
    rng = np.random.default_rng(seed)
    names = [f"s{s:02d}/v/{u}" for s in range(SPEAKERS) for u in range(PER_SPEAKER)]
    enrol, test = np.triu_indices(len(names), 1)
    target = enrol // PER_SPEAKER == test // PER_SPEAKER
    keep = target | (rng.random(len(target)) < 0.05)
    return Trials(names, enrol[keep], test[keep], target[keep])


TRIALS = made_up()


def scores(quality, *, speaker_seed=1, run=0):
    """Scores of a system: better ``quality``, fewer errors; speakers are easy or hard for all systems alike."""
    speaker = TRIALS.enrol // PER_SPEAKER
    ease = np.random.default_rng(speaker_seed).standard_normal(SPEAKERS)
    noise = np.random.default_rng([run, 5]).standard_normal(len(TRIALS))
    return noise + TRIALS.is_target * (quality + 0.5 * ease[speaker])


def results(quality, seeds, replicates=200):
    return {s: evaluate(TRIALS, scores(quality, run=s), replicates=replicates) for s in seeds}


def test_a_gain_is_the_mean_difference_over_the_seeds_with_an_interval_around_it():
    before, after = results(1.5, range(3)), results(2.5, range(3))
    gain = paired_gain(before, after)
    assert gain["seeds"] == 3
    assert gain["seeds_better"] == 3
    assert gain["eer_all"] == pytest.approx(np.mean([r.summary["eer"] for r in before.values()]))
    assert gain["eer_gain"] == pytest.approx(gain["eer_all"] - gain["eer_clean"])
    assert gain["eer_gain_relative"] == pytest.approx(gain["eer_gain"] / gain["eer_all"])
    assert 0 < gain["eer_gain_low"] < gain["eer_gain"] < gain["eer_gain_high"]
    assert gain["min_dcf_0.05_gain_low"] < gain["min_dcf_0.05_gain"] < gain["min_dcf_0.05_gain_high"]


def test_costs_of_ratios_have_a_gain_where_all_results_have_them():
    ratios = {q: {0: evaluate(TRIALS, 2 * scores(q) - 2, calibrated=True, replicates=50)} for q in (1.5, 2.5)}
    gain = paired_gain(ratios[1.5], ratios[2.5])
    assert gain["cllr_gain"] == pytest.approx(gain["cllr_all"] - gain["cllr_clean"])
    assert 0 < gain["cllr_gain_low"] < gain["cllr_gain"] < gain["cllr_gain_high"]
    assert "act_dcf_0.01_clean_high" in gain
    assert not [name for name in paired_gain(ratios[1.5], results(2.5, [0], 50)) if "cllr" in name]


def test_seeds_are_paired_whatever_their_order():
    before, after = results(1.5, (0, 1)), results(2.0, (0, 1))
    turned = dict(reversed(after.items()))
    assert paired_gain(before, turned) == paired_gain(before, after)


def test_the_same_system_on_both_lists_gains_nothing_and_is_sure_of_it():
    before = results(2.0, range(2))
    gain = paired_gain(before, before)
    assert (gain["eer_gain"], gain["eer_gain_low"], gain["eer_gain_high"], gain["seeds_better"]) == (0, 0, 0, 0)


def test_pairing_makes_the_interval_narrower_than_that_of_independent_systems():
    before = evaluate(TRIALS, scores(1.5), replicates=300)
    after = evaluate(TRIALS, scores(1.5) + 0.1 * TRIALS.is_target, replicates=300)
    unpaired = evaluate(TRIALS, scores(1.5) + 0.1 * TRIALS.is_target, replicates=300, seed=9)
    low, high = interval(before.replicates["eer"] - unpaired.replicates["eer"])
    gain = paired_gain({0: before}, {0: after})
    assert gain["eer_gain_high"] - gain["eer_gain_low"] < 0.7 * (high - low)


def test_each_mean_has_an_interval_of_its_own_beside_that_of_the_gain():
    gain = paired_gain(results(1.5, range(3)), results(2.5, range(3)))
    for arm in ("all", "clean"):
        assert 0 <= gain[f"eer_{arm}_low"] < gain[f"eer_{arm}"] < gain[f"eer_{arm}_high"]
    one = results(1.5, (0,))
    alone = paired_gain(one, one)
    assert (alone["eer_all_low"], alone["eer_all_high"]) == interval(one[0].draws("eer"))


def test_without_a_bootstrap_there_is_no_interval():
    gain = paired_gain(results(1.5, (0,), replicates=0), results(2.5, (0,), replicates=0))
    assert "eer_gain_low" not in gain


def test_arms_of_different_seeds_are_refused():
    with pytest.raises(AvsieveError, match=r"seeds \['0'\] on the full and \['0', '1'\] on the cleansed"):
        paired_gain(results(1.5, (0,)), results(2.0, (0, 1)))


def test_resampled_seeds_have_the_variance_of_a_mean():
    # Nothing but seeds differs: the variance of a mean of S values is their sample variance over S.
    differences = np.repeat([[0.01], [0.02], [0.06]], 40_000, axis=1)
    expected = np.var(differences[:, 0], ddof=1) / 3
    assert np.var(mean_over_seeds(differences)) == pytest.approx(expected, rel=0.03)
    np.testing.assert_array_equal(mean_over_seeds(differences[:1]), differences[0])


def test_the_interval_of_a_gain_covers_the_truth_about_as_often_as_it_says():
    # Both the speakers and the seeds of a training are drawn anew; the true gain is known. Means stand in for rates.
    rng = np.random.default_rng(3)
    truth, hits, rounds = 0.02, 0, 300
    for _ in range(rounds):
        speakers = rng.normal(0, 0.02, 40)
        seeds = rng.normal(0, 0.005, 6)
        own = truth + speakers[None, :] + seeds[:, None]
        taken = rng.multinomial(40, np.full(40, 1 / 40), size=400) / 40
        low, high = interval(mean_over_seeds(own @ taken.T, seed=1))
        hits += low <= truth <= high
    assert 0.90 <= hits / rounds <= 0.985
