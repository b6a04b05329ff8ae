import pandas as pd

from avsieve.report.detection import compare, found_wrong
from avsieve.report.errors import error_rows, evaluated_lists
from avsieve.report.summary import format_summary, percent, share

from .made_up import make_decisions, make_results, make_summary, make_truth, on_two_lists

DECISIONS = make_decisions()


def text(tables=None, **more):
    given = {"summary": make_summary(DECISIONS), "found": found_wrong(DECISIONS)}
    given["evaluated"] = evaluated_lists(*tables or make_results())
    return format_summary(**given | more)


def test_the_table_with_a_truth():
    lines = text(detection=compare(DECISIONS, make_truth(DECISIONS)), failed=2, report="results/report/index.html")
    assert lines == (
        "utterances        48 of 4 speakers, 2 failed\n"
        "found wrong       6 (12.5%): whole video 4, voice 1, face 1\n"
        "precision, recall 1.000, 1.000; F1 1.000 (against the truth of 47)\n"
        "recall by kind    whole video 1.00, voice 1.00, face 1.00\n"
        "trials            200 over 10 speakers\n"
        "\n"
        "EER %, not trained               EER   its 95 % interval\n"
        "voice alone                     8.00        4.00 – 16.00\n"
        "score average                   3.00         1.50 – 6.00\n"
        "\n"
        "EER %, trained   on all  cleansed   gain   95 % of the gain\n"
        "gated fusion       5.00      2.00   3.00       1.00 to 4.00  the gain shows\n"
        "\n"
        "report            results/report/index.html\n"
    )
    assert max(map(len, lines.splitlines())) <= 80


def test_damaged_trials_are_pooled_below_the_first_list():
    lines = text(make_results(["whole", "blur", "pooled"]))
    pooled = lines.split("pooled            200 under one threshold: these, and as damaged by 1 conditions\n")[1]
    assert pooled.startswith(
        "\n"
        "EER %, not trained               EER   its 95 % interval\n"
        "voice alone                    24.00       12.00 – 48.00\n"
        "score average                   9.00        4.50 – 18.00\n"
        "\n"
        "EER %, trained   on all  cleansed   gain   95 % of the gain\n"
        "gated fusion      15.00      6.00"
    )
    assert max(map(len, lines.splitlines())) <= 80
    assert "pooled" not in text()


def test_without_a_truth_the_methods_own_expectation_is_named_as_such():
    assert "precision, recall 0.970, 0.930; F1 0.950 (expected by the method)" in text()


def test_a_run_without_evaluation_or_expectation_still_has_a_table():
    lines = text(evaluated=[], summary=make_summary(DECISIONS, estimated=None))
    assert "EER" not in lines
    assert "precision, recall -, -; F1 - (expected by the method)" in lines


def test_a_known_trial_list_is_named_with_its_version():
    results, gains, curves = make_results()
    tables = results.assign(trials="Vox1-O", trials_version="cleaned"), gains, curves
    assert "trials            Vox1-O cleaned, 200 over 10 speakers" in text(tables)


def test_a_list_of_the_users_is_named_unless_it_has_voxceleb1s_name_and_no_other():
    results, gains, curves = make_results()
    known = results.assign(trials="Vox1-E", trials_version="cleaned", labels="official")
    line = "                  the trial list E"
    assert line in text((known.assign(list="E"), gains, curves)).splitlines()
    assert "the trial list" not in text((known.assign(list="Vox1-E"), gains, curves))
    several = pd.concat([known.assign(list="E"), known.assign(list="H")])
    lines = text((several, gains, curves)).splitlines()
    assert lines.index(f"{line} (the headline)") < lines.index("                  the trial list H")


def test_every_trial_is_counted_whoever_could_score_it():
    results, gains, curves = make_results()
    assert "trials            207 over" in text((results.assign(n_missing=7), gains, curves))


def test_what_was_not_judged_is_not_in_the_share_of_what_was_found_wrong():
    assert "found wrong       6 (12.8% of 47 judged): whole video 4" in text(judged=47)


def test_trusted_trials_come_first_and_those_with_the_labels_as_given_beside_them():
    lines = text(on_two_lists()).splitlines()
    first = lines.index("                  trials on utterances that the cleansing trusts (the headline)")
    second = lines.index("                  trials with the labels as they were given")
    assert first < second
    assert "voice alone                     8.00        4.00 – 16.00" in lines[first:second]
    assert "voice alone                    18.00       14.00 – 26.00" in lines[second:]
    assert any(line.endswith("the gain shows") for line in lines[first:second])
    assert any(line.endswith("no difference shown") for line in lines[second:])
    whole = " ".join(lines)
    assert "optimistic where it errs by leaving out hard ones" in whole
    assert "their EER has a floor" in whole
    assert max(map(len, lines)) <= 80


def test_trials_whose_labels_are_right_need_no_words_of_caution():
    results, gains, curves = make_results()
    truth = {"list": "truth", "labels": "truth"}
    shown = text((results.assign(**truth), gains.assign(**truth), curves))
    assert "floor" not in shown
    assert shown == text()


def test_an_emptied_speaker_is_loud():
    summary = make_summary(DECISIONS, warnings={"emptied_speakers": {"count": 2, "speakers": ["a", "b"]}})
    assert "WARNING           2 speakers have no clean utterance left" in text(summary=summary)


def test_what_lacks_something_is_counted_apart_from_what_is_wrong():
    assert "left out          34 lack a voice or a face" in text(summary=make_summary(DECISIONS, incomplete=34))
    assert "left out" not in text()


def test_what_must_not_be_missed_is_a_warning_of_at_most_80_columns():
    why = {"audio": "there are too few utterances or speakers to learn from"}
    warnings = {"not_judged": {"count": 48, "judged": 0, "why": why}, "low_coverage": {"visual": 0.5}}
    coverage = {"visual": {"embeddings": 24, "of": 48}}
    lines = text(summary=make_summary(DECISIONS, warnings=warnings, coverage=coverage)).splitlines()
    assert sum(line.startswith("WARNING           ") for line in lines) == 2
    assert any("NOTHING WAS JUDGED" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_seeds_are_averaged_and_missing_arms_are_none():
    rows = {row["model"]: row for row in error_rows(make_results()[0])}
    assert rows["gated"]["before"]["eer"] == 0.05
    assert rows["gated"]["before"]["seeds"] == 2
    assert rows["gated"]["untrained"] is None
    assert rows["audio"]["after"] is None


def test_numbers_that_do_not_exist_are_dashes():
    assert [share(None), share(float("nan")), percent(pd.NA)] == ["-", "-", "-"]
    assert (share(0.5), percent(0.01234)) == ("0.500", "1.23")


def test_a_share_that_rounds_to_nothing_has_no_sign():
    assert [percent(v) for v in (-0.00001, 0.0, -0.0123, None)] == ["0.00", "0.00", "-1.23", "-"]


def test_a_mean_over_seeds_has_its_own_interval_or_none():
    results, gains, _ = make_results()
    gated = next(row for row in error_rows(results, gains) if row["model"] == "gated")
    assert (gated["before"]["eer_low"], gated["before"]["eer_high"]) == (0.031, 0.072)
    assert (gated["after"]["eer_low"], gated["after"]["eer_high"]) == (0.011, 0.033)
    assert gated["gain"]["verdict"] == "better"
    # Means of the seeds' bounds would be intervals of nothing.
    bare = next(row for row in error_rows(results) if row["model"] == "gated")
    assert "eer_low" not in bare["before"]
    assert bare["gain"] is None
    one = results[results["seed"].isna() | (results["seed"] == 0)]
    alone = next(row for row in error_rows(one) if row["model"] == "gated")
    assert (alone["before"]["eer_low"], alone["before"]["eer_high"]) == (0.02, 0.08)
