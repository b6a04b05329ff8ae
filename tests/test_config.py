from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from avsieve.config import Config, load_config, parse_config
from avsieve.config_docs import ROOT, derived, reference
from avsieve.errors import ConfigError


def test_no_keys_at_all_give_the_defaults() -> None:
    assert parse_config({}) == Config()
    assert parse_config({}).source.kind == "synthetic"


def test_the_derived_files_are_in_step() -> None:
    # `make docs` writes them anew.
    assert {str(p): (ROOT / p).read_text(encoding="utf-8") for p in derived()} == {
        str(p): text for p, text in derived().items()
    }


def test_the_default_file_holds_the_defaults() -> None:
    assert load_config(ROOT / "config" / "config.yaml") == Config()


def test_a_preset_on_top_of_the_default_file_sets_its_keys() -> None:
    # Snakemake lays a user's keys over those of the default file, so none of these may stand in it as given.
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    values["training"]["audio"] |= {"preset": "avcleanse", "scale": 20}
    audio = parse_config(values).training.audio
    assert (audio.arch, audio.epochs, audio.margin_until, audio.scale) == ("ecapa1024", 99, 0, 20)
    assert "`preset: avcleanse` sets `epochs: 99`" in reference()


def test_every_config_file_that_ships_is_valid() -> None:
    files = sorted((ROOT / "config").glob("*.yaml"))
    assert {f.name for f in files} >= {"config.yaml", "voxceleb2.yaml"}
    for file in files:
        assert isinstance(load_config(file), Config)


def test_every_key_is_described_and_names_the_rule_that_it_reruns() -> None:
    def keys(model: type[BaseModel], path: str = "") -> None:
        assert model.__doc__
        for name, field in model.model_fields.items():
            extra = field.json_schema_extra
            assert isinstance(extra, dict), f"{path}{name}"
            assert extra["reruns"], f"{path}{name}"
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


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"shardz": 3, "device": "gpu"})
    assert len(str(caught.value).splitlines()) == 2


def test_files_that_are_no_configuration_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [1\n")
    (tmp_path / "b.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match="found a list"):
        load_config(tmp_path / "b.yaml")
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "c.yaml")
