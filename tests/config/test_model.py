from __future__ import annotations

import re

import pytest
import yaml
from pydantic import BaseModel

from avsieve.config.docs import ROOT, reference
from avsieve.config.model import MOVED, Config, parse_config
from avsieve.errors import ConfigError
from avsieve.training.encoder.settings import TrainVisual


def test_no_keys_at_all_give_the_defaults() -> None:
    assert parse_config({}) == Config()
    assert parse_config({}).source.kind == "synthetic"


def test_the_default_file_holds_the_defaults() -> None:
    assert parse_config(yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))) == Config()


def test_a_preset_on_top_of_the_default_file_sets_its_keys() -> None:
    # Snakemake lays a user's keys over those of the default file, so none of these may stand in it as given.
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    values["training"]["audio"] |= {"preset": "avcleanse", "scale": 20, "music": "musan/music"}
    audio = parse_config(values).training.audio
    assert (audio.arch, audio.epochs, audio.margin_until, audio.scale) == ("ecapa1024", 99, 0, 20)
    assert "`preset: avcleanse` sets `epochs: 99`" in reference()


def test_every_config_file_that_ships_is_valid() -> None:
    files = sorted((ROOT / "config").glob("*.yaml"))
    assert {f.name for f in files} >= {"config.yaml", "voxceleb2.yaml"}
    for file in files:
        assert isinstance(parse_config(yaml.safe_load(file.read_text(encoding="utf-8")), file.name), Config)


def test_every_key_is_described_and_names_the_rule_that_it_reruns() -> None:
    def keys(model: type[BaseModel], path: str = "") -> None:
        assert model.__doc__
        for name, field in model.model_fields.items():
            extra = field.json_schema_extra
            assert isinstance(extra, dict), f"{path}{name}"
            assert model.reruns(name), f"{path}{name}"
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                keys(field.annotation, f"{path}{name}.")
            else:
                assert field.description, f"{path}{name}"

    keys(Config)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"shardz": 3}, ["unknown key shardz", "shards"]),
        ({"media": {"interval": 1}}, ["unknown key media.interval", "interval_s"]),
        ({"media": {"interval_s": 0}}, ["media.interval_s is 0", "greater than or equal to 0.001"]),
        ({"media": {"jpeg_quality": "fine"}}, ["media.jpeg_quality is 'fine'", "integer"]),
        ({"device": "gpu"}, ["device is 'gpu'", "'cuda'"]),
        ({"source": {"kind": "tree"}}, ["source", "tree.root is missing"]),
    ],
)
def test_a_mistake_is_named_with_its_key(values: dict, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(values, "my.yaml")
    for word in ["my.yaml", *words]:
        assert word in str(caught.value)


def test_a_key_that_has_moved_says_where_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MOVED, "media.rate", "media.interval_s, a time in seconds")
    with pytest.raises(ConfigError) as caught:
        parse_config({"media": {"rate": 25}}, "my.yaml")
    words = "my.yaml: there is no key media.rate any more; it is now media.interval_s, a time in seconds"
    assert str(caught.value) == words


def test_the_seed_of_the_evaluation_is_three_now() -> None:
    words = "evaluation.holdout_seed .* evaluation.trials_seed .* and evaluation.bootstrap_seed"
    with pytest.raises(ConfigError, match=words):
        parse_config({"evaluation": {"seed": 3}})


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"shardz": 3, "device": "gpu"})
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("trials", "paths", "names"),
    [
        (None, [], []),
        ("", [], []),
        ("a.txt", ["a.txt"], []),
        (["b.txt", "a.txt"], ["b.txt", "a.txt"], []),
        ({"O": "b.txt", "E": "a.txt", "too": "a.txt"}, ["b.txt", "a.txt", "a.txt"], ["O", "E", "too"]),
    ],
)
def test_trials_are_one_list_or_several_with_names_or_without(trials: object, paths: list, names: list) -> None:
    evaluation = parse_config({"evaluation": {"trials": trials}}).evaluation
    assert (evaluation.trial_paths, evaluation.trial_names) == (paths, names)


@pytest.mark.parametrize(
    ("trials", "message"),
    [
        (3, "is 3: expected a path, a list of paths, or names"),
        ([], "expected a path, a list of paths, or names"),
        ({}, "expected a path, a list of paths, or names"),
        (["a.txt", None], "expected a path, a list of paths, or names"),
        ({"O": ["a.txt"]}, "expected a path, a list of paths, or names"),
        (["a.txt", "b.txt", "a.txt"], "a.txt is there twice"),
        ({"-x": "a.txt"}, "the name '-x': expected text without a dash"),
        ({1: "a.txt"}, "the name 1: expected text"),
        ({"": "a.txt"}, "the name '': expected text"),
        ({" O": "a.txt"}, "the name ' O': expected text"),
    ],
)
def test_lists_of_trials_that_cannot_be_told_apart_are_refused_in_a_line(trials: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"evaluation": {"trials": trials}}, "my.yaml")
    (line,) = str(caught.value).splitlines()
    assert line.startswith("my.yaml: evaluation.trials")
    assert message in line


EMBEDDINGS = {"kind": "embeddings", "embeddings": {"train_list": "list", "audio": "voices.npz"}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cleansing": {"options": {"treshold": 1}}}, "cleansing: options: posterior: unknown option 'treshold'"),
        ({"cleansing": {"options": {"rounds": "six"}}}, "posterior: rounds 'six'; expected a whole number"),
        (
            {"cleansing": {"policy": "visual"}, "source": {"modalities": "audio"}},
            "policy visual judges faces",
        ),
        (
            {"cleansing": {"policy": "both"}, "source": {"modalities": "audio"}},
            "policy both judges voice and",
        ),
        ({"cleansing": {"policy": "visual"}, "source": EMBEDDINGS, "fusion": {"models": []}}, "no face embeddings"),
        (
            {"cleansing": {"rounds": 2}, "source": EMBEDDINGS, "fusion": {"models": []}},
            "embeddings has no wavs and faces",
        ),
        ({"cleansing": {"rounds": 2, "rounds_folds": 1}}, "one part is all of the list: give 0 for none"),
        (
            {"cleansing": {"rounds": 2, "rounds_modalities": ["visual"]}, "source": {"modalities": "audio"}},
            "source.modalities has audio alone: name that",
        ),
    ],
)
def test_a_cleansing_that_cannot_be_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(values)


def test_a_policy_about_what_there_is_passes() -> None:
    for policy in ("either", "audio"):
        values = {"source": EMBEDDINGS, "fusion": {"models": []}, "cleansing": {"policy": policy}}
        assert parse_config(values).cleansing.policy == policy


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"audio_segments": {"hops": "h.parquet"}, "audio": None},
            r"embeddings\.audio_segments is given, but embeddings",
        ),
        ({"audio_segments": {"frames": "h.parquet"}}, "audio_segments has the segmentation 'frames'; expected small"),
        ({"audio_segments": {"Hops": "h.parquet"}}, "audio_segments has the segmentation 'Hops'; expected small"),
        ({"audio_segments": "h.parquet"}, r"audio_segments is 'h\.parquet'"),
    ],
)
def test_tables_of_segments_that_cannot_be_are_refused(more: dict, message: str) -> None:
    tables = {"train_list": "list", "audio": "a.npz", "visual": "v.npz"} | more
    with pytest.raises(ConfigError, match=message):
        parse_config({"source": {"kind": "embeddings", "embeddings": tables}, "fusion": {"models": []}})


def test_a_block_that_is_indented_wrongly_is_one_mistake() -> None:
    keys = {f"key{k}": 1 for k in range(12)}
    with pytest.raises(ConfigError) as told:
        parse_config({"training": {"visual": keys}})
    [line] = str(told.value).splitlines()
    assert line.startswith("config: unknown keys training.visual.key0, training.visual.key1, ")
    assert " and 4 others; expected one of " in line


def test_of_many_mistakes_the_first_are_told() -> None:
    values = {"training": {"visual": {key: {"no": [1]} for key in TrainVisual.model_fields}}}
    with pytest.raises(ConfigError) as told:
        parse_config(values)
    *_, last = lines = str(told.value).splitlines()
    assert len(lines) == 13
    assert re.fullmatch(r"config: and \d+ more", last)
