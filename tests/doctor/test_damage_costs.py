from __future__ import annotations

from typing import Any

import pytest

from avsieve.config.model import Config, parse_config
from avsieve.doctor.costs import Cost, estimate
from avsieve.doctor.damage_costs import Damaged, damaged, share_of_trials, twins
from avsieve.doctor.rates import shipped_rates
from avsieve.doctor.trial_size import TrialSize
from avsieve.sources.findings import SourceFacts

SIZE = TrialSize(1000, enrol=100, test=200, both=250)


def wired(*conditions: Any, **damage: Any) -> Config:
    return parse_config({"evaluation": {"damage": {"conditions": list(conditions), **damage}}})


def of(config: Config) -> Any:
    return damaged(config, SIZE, mean_s=8.0, mean_faces=20)


def test_a_version_is_counted_for_every_utterance_of_the_side_that_is_damaged() -> None:
    loud = {"name": "loud", "kind": "noise"}
    found = of(wired(loud, {"name": "half", "kind": "blur", "side": "both", "share": 0.5}))
    assert (found.conditions, found.rows) == (2, 200 + 125)
    assert (found.voices, found.voice_s) == (200, 1600)
    assert (found.of_faces, found.faces) == (125, 2500)
    assert found.trials == 1000 + 750  # of both sides at half, a quarter of the trials is left as it is


def test_pieces_and_single_faces_are_less_to_embed() -> None:
    found = of(wired({"name": "piece", "kind": "short", "seconds": [1.0, 3.0]}, {"name": "one", "kind": "one_frame"}))
    assert (found.voice_s, found.faces) == (400, 200)
    assert of(wired({"name": "long", "kind": "short", "seconds": 20.0})).voice_s == 1600


def test_what_needs_no_signal_is_trials_and_nothing_to_make() -> None:
    gone = {"name": "gone", "kind": "missing", "modality": "audio"}
    for config in (wired(gone), wired("standard", level="embedding")):
        found = of(config)
        assert (found.voices, found.faces, found.core_s) == (0, 0, 0)
        assert found.trials > 0
    assert of(wired()) == type(found)()


def test_sound_alone_has_no_damaged_faces() -> None:
    source = {"kind": "tree", "tree": {"root": "x"}, "modalities": "audio"}
    config = parse_config(
        {"source": source, "fusion": {"models": []}, "evaluation": {"damage": {"conditions": ["vut"]}}}
    )
    costs = stages(config, utterances=960)
    assert "embed damaged audio" in costs
    assert "embed damaged visual" not in costs


def test_shares_of_trials_follow_sides_and_parts() -> None:
    (vut,) = wired("vut").evaluation.damage.chosen
    assert share_of_trials(vut) == pytest.approx(1 - 0.2**2)
    both = wired(
        {
            "name": "both",
            "parts": [
                {"kind": "noise", "share": 0.5},
                {"kind": "missing", "modality": "visual", "share": 0.5, "side": "enrol"},
            ],
        }
    ).evaluation.damage.chosen
    assert share_of_trials(both[0]) == pytest.approx(0.75)


def stages(config: Config, **facts: Any) -> dict[str, Cost]:
    found = SourceFacts(**facts)
    return {cost.stage: cost for cost in estimate(config, found, shipped_rates(config, None, None), gpu=False)}


def test_the_stages_of_damage_stand_among_the_costs() -> None:
    facts = {"utterances": 960, "seconds": 960 * 1.6, "speakers": 100}
    plain, harmed = stages(wired(), **facts), stages(wired("standard", "vut"), **facts)
    more = ["choose damage", "damage", "embed damaged audio", "embed damaged visual"]
    assert list(harmed) == [*list(plain)[:6], *more, *list(plain)[6:]]
    assert "of 22 conditions, 16 systems" in harmed["evaluate"].work
    assert harmed["evaluate"].core_h > 10 * plain["evaluate"].core_h
    assert harmed["damage"].gb > 10 * harmed["embed damaged audio"].gb
    missing = stages(wired({"name": "gone", "kind": "missing", "modality": "audio"}), **facts)
    assert [name for name in missing if "damage" in name] == ["choose damage"]


def test_damage_costs_what_was_measured() -> None:
    # A run of 384 synthetic utterances, 240 of them to train on, presets standard and vut, in two shards: 995 voices
    # and 2,180 faces of 728 utterances; processor time of `damage_shard` 1.90 and 2.53 s, tars of 79 MB.
    config = parse_config(
        {
            "source": {
                "kind": "synthetic",
                "synthetic": {
                    "speakers": 20, "test_speakers": 24, "test_videos": 3, "test_utterances": 2, "duration_s": 1.6,
                },
            },
            "shards": 2,
            "evaluation": {"damage": {"conditions": ["standard", "vut"]}},
        }
    )  # fmt: skip
    cost = stages(config, utterances=384, seconds=384 * 1.6, speakers=44)["damage"]
    assert 4.43 / 1.5 < 3600 * cost.hours(1) < 1.5 * 4.43
    assert 0.079 / 1.5 < cost.gb < 1.5 * 0.079


def test_trials_of_lists_are_counted_and_others_guessed() -> None:
    from avsieve.evaluation.trials import make_trial_list

    lists = [
        make_trial_list([True, False], ["a/v/1", "a/v/1"], ["a/w/1", "b/v/1"]),
        make_trial_list([False], ["b/v/1"], ["c/v/1"]),
    ]
    assert TrialSize.of(lists) == TrialSize(3, enrol=2, test=3, both=4, counted=True)
    assert str(TrialSize.of(lists)) == "3 trials"
    guessed = TrialSize.made(576, 144)
    assert str(guessed) == "about 580 trials"
    assert guessed.on("enrol") == guessed.on("test") == pytest.approx(141.4, abs=0.1)
    assert guessed.on("test") < guessed.on("both") < 144
    assert TrialSize.made(0, 0).on("both") == 0


def test_twins_are_counted_of_the_training_utterances_up_to_their_number() -> None:
    def counted(have: int, **settings: object) -> Damaged:
        chosen = Config.model_validate({"fusion": {"twins": {"conditions": ["varied"], **settings}}})
        return twins(chosen, have, mean_s=8.0, mean_faces=20)

    few, many = counted(500), counted(1_000_000, utterances=3000)
    assert (few.voices, few.of_faces, few.faces) == (1500, 1500, 30_000)
    assert many.voices == 9000
    assert many.trials == 0
    assert counted(500, level="embedding").voices == 0
    assert twins(Config.model_validate({}), 500, mean_s=8.0, mean_faces=20).conditions == 0
