from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.evaluation.conditions.contract import Condition
from avsieve.evaluation.conditions.registry import KINDS, PRESETS
from avsieve.evaluation.conditions.settings import Damage, conditions_of
from avsieve.evaluation.conditions.stand_ins import STAND_INS


def of(**entry: object) -> Condition:
    (found,) = conditions_of([entry])
    return found


def test_there_is_no_condition_by_default() -> None:
    assert parse_config({}).evaluation.damage.chosen == []


def test_the_standard_preset_has_each_damage_by_itself() -> None:
    found = {c.name: c for c in conditions_of(["standard"])}
    noise = [c.parts[0].parameters["snr_db"] for name, c in found.items() if name.startswith("noise")]
    assert noise == [15.0, 5.0, 0.0, -5.0]
    assert {c.parts[0].kind for c in found.values()} == set(KINDS) - {"crop"}
    assert [(p.kind, p.modality, p.side) for p in found["crossed"].parts] == [
        ("missing", "audio", "enrol"), ("missing", "visual", "test"),
    ]  # fmt: skip
    gone = {(p.modality, p.side) for c in found.values() for p in c.parts if len(c.parts) == 1 and p.kind == "missing"}
    assert gone == {(m, s) for m in ("audio", "visual") for s in ("enrol", "test", "both")}
    assert {c.parts[0].share for name, c in found.items() if name.startswith("other")} == {0.02}


def test_the_preset_of_the_thesis_damages_four_in_five_in_one_modality() -> None:
    (vut,) = conditions_of(["vut"])
    assert vut.exclusive
    assert {part.side for part in vut.parts} == {"both"}
    of_modality = {m: sum(p.share for p in vut.parts if p.modality == m) for m in ("audio", "visual")}
    assert of_modality == {"audio": 0.4, "visual": 0.4}
    crop, blur, *noises = vut.parts
    assert crop.parameters == {"pixels": 70}
    assert blur.parameters == {"kernel": 7, "sigma": [0.1, 3.0]}
    assert [noise.parameters for noise in noises][1] == {"snr_db": 1.0, "sound": "white"}


def test_a_condition_has_its_defaults_and_numbers_are_as_the_kind_has_them() -> None:
    (part,) = of(name="a", kind="noise", snr_db=[0, 10], share=0.5).parts
    assert (part.modality, part.side, part.share, part.similarity) == ("audio", "test", 0.5, None)
    assert part.parameters == {"snr_db": [0.0, 10.0], "sound": "white"}
    assert of(name="a", kind="low_resolution", pixels=[8, 16]).parts[0].parameters == {"pixels": [8, 16]}


def test_noise_is_recorded_where_there_are_recordings_and_generated_elsewhere() -> None:
    def sound(damage: Damage) -> object:
        return damage.chosen[0].parts[0].parameters["sound"]

    assert sound(Damage(conditions=["standard"])) == ["white", "pink", "babble"]
    assert sound(Damage(conditions=["standard"], noise="musan/noise")) == "recording"
    own = Damage(conditions=[{"name": "a", "kind": "noise", "sound": "pink"}], noise=["a", "b"])
    assert sound(own) == "pink"


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_rule_is_given_stands_for_the_same_conditions(preset: str) -> None:
    damage = Damage(conditions=[preset], noise="musan", seed=3)
    assert Damage(**damage.expanded).chosen == damage.chosen
    assert damage.expanded["seed"] == 3


def test_which_modalities_have_damaged_signals() -> None:
    assert Damage(conditions=["vut"]).damaged_signals() == {"audio", "visual"}
    assert Damage(conditions=[{"name": "a", "kind": "short"}]).damaged_signals() == {"audio"}
    gone = {"name": "a", "kind": "missing", "modality": "visual"}
    assert Damage(conditions=[gone]).damaged_signals() == set()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("standart", "no preset 'standart'; expected one of standard, vut, avn, varied, or a condition"),
        (3, r"expected a preset \(standard, vut, avn, varied\) or a condition"),
        ({"kind": "blur"}, "the name None; expected up to 40 letters"),
        ({"name": "pooled", "kind": "blur"}, "the name 'pooled'; .* neither of whole, pooled"),
        ({"name": "a b", "kind": "blur"}, "the name 'a b'"),
        ({"name": "a@b", "kind": "blur"}, "the name 'a@b'"),
        ({"name": "a"}, "a: no kind; expected one of noise, clipping"),
        ({"name": "a", "kind": "blurr"}, "a: kind 'blurr'; expected one of noise, clipping"),
        ({"name": "a", "kind": "missing"}, "a: missing needs a modality: audio or visual"),
        ({"name": "a", "kind": "blur", "modality": "audio"}, "a: blur damages visual, not audio"),
        ({"name": "a", "kind": "blur", "radius": 3}, "a: blur: unknown option 'radius'; it has kernel, sigma"),
        ({"name": "a", "kind": "blur", "sigma": "much"}, "a: blur: sigma 'much'; expected a number, above 0"),
        ({"name": "a", "kind": "blur", "sigma": [3, 1]}, r"sigma \[3, 1\]; expected a value, \[lowest, highest\]"),
        ({"name": "a", "kind": "blur", "kernel": [3, 5]}, "kernel 4; expected an odd number"),
        ({"name": "a", "kind": "noise", "sound": ["pink", "red"]}, "sound 'red'; expected `white`"),
        ({"name": "a", "kind": "blur", "share": 1.5}, "a: share 1.5; expected a number, at least 0 and at most 1"),
        ({"name": "a", "kind": "blur", "side": "left"}, "a: side 'left'; expected `enrol` or `test` or `both`"),
        ({"name": "a", "kind": "missing", "modality": "audio", "similarity": 0.5}, "a: missing has no stand-in"),
        ({"name": "a", "parts": []}, r"a: parts \[\]; expected a list of parts"),
        ({"name": "a", "parts": [{"kind": "blur"}], "share": 0.5}, "beside share; expected a list of parts"),
        (
            {"name": "a", "one_of": [{"kind": "blur", "share": 0.7}, {"kind": "short", "share": 0.7}]},
            "a: the shares of one_of are 1.4 together; expected 1 at most",
        ),
        (
            {"name": "a", "one_of": [{"kind": "blur", "share": 0.5}, {"kind": "short", "share": 0.5, "side": "both"}]},
            "a: the parts of one_of damage several sides",
        ),
        ({"name": "a", "parts": [{"kind": "blur"}, {"kind": "occlusion"}]}, "a: two parts damage visual on one side"),
        (
            {"name": "a", "parts": [{"kind": "blur", "side": "enrol"}, {"kind": "occlusion"}]},
            "a: both sides' visual is damaged by a part of its own; expected one part with side: both",
        ),
    ],
)
def test_what_is_no_condition_is_refused_in_a_line(entry: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_config({"evaluation": {"damage": {"conditions": [entry]}}}, "my.yaml")
    (line,) = str(caught.value).splitlines()
    assert line.startswith("my.yaml: evaluation.damage.conditions.0")


def test_two_conditions_of_one_name_are_refused() -> None:
    twice = ["standard", {"name": "blur", "kind": "blur", "sigma": 2}]
    with pytest.raises(ConfigError, match="the name 'blur' is given twice"):
        parse_config({"evaluation": {"damage": {"conditions": twice}}})


def test_the_share_that_there_was_is_a_list_of_conditions_now() -> None:
    with pytest.raises(ConfigError, match=r"no key evaluation.damage_share any more; it is now a list of conditions"):
        parse_config({"evaluation": {"damage_share": 0.4}})


def test_every_kind_of_damage_to_signals_has_a_stand_in_whose_cosine_falls_between_its_points() -> None:
    assert set(STAND_INS) == {name for name, kind in KINDS.items() if kind.signals}
    for name, stand_in in STAND_INS.items():
        settings = KINDS[name].settings
        strengths = [strength for strength, _ in stand_in.points]
        assert strengths == sorted(strengths)
        defaults = {field: settings.model_fields[field].default for field in settings.model_fields}
        assert 0 < stand_in.similarity(defaults) < 1
    noise = STAND_INS["noise"]
    assert [noise.similarity({"snr_db": x}) for x in (-20, -5, 2.5, 10, 40)] == pytest.approx(
        [0.34, 0.34, 0.595, 0.755, 0.84]
    )


def test_the_documents_tell_the_cosine_of_every_stand_in(repository: Path) -> None:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    for name, stand_in in STAND_INS.items():
        points = ", ".join(f"{strength:g}: {cosine:g}" for strength, cosine in stand_in.points)
        told = f"`{stand_in.strength}` | {points}" if stand_in.strength else f"| {stand_in.points[0][1]:g}"
        assert f"| `{name}` | {told} |" in text
