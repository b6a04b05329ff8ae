from __future__ import annotations

import argparse
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from avsieve.config.model import Config
from avsieve.errors import ConfigError
from avsieve.runtime.options import add_settings, settings_of
from avsieve.settings import Block, Positive, Share, key
from avsieve.wiring.flags import flags


class Phase(Block):
    steps: int = key(0, "Length.", ge=0)


class Cake(Block):
    layers: int = key(3, "Layers, at most 100 % of nine.", ge=1, le=9)
    sugar: Share = key(0.5, "Share of sugar.")
    size: Annotated[int, Field(ge=32)] | Literal["auto"] = key("auto", "Side, or `auto`.")
    icing: bool = key(True, "Whether there is icing.")
    kind: Literal["plain", "fruit"] = key("plain", "Kind.")
    toppings: list[Literal["nuts", "jam"]] = key(lambda: ["nuts"], "Toppings.")
    weights: list[float] = key(lambda: [1.0], "Weights.")
    name: str | None = key(None, "Name.")
    heat: Positive = key(180.0, "Heat.")
    shares: dict[str, float] = key(dict, "Shares.")
    second: Phase = key(Phase, "Second phase.")

    @model_validator(mode="after")
    def _fits(self) -> Cake:
        if self.kind == "fruit" and self.layers > 5:
            raise ValueError("a fruit cake has at most 5 layers")
        return self


def parsed(*words: str, required: bool = False) -> Cake:
    ap = argparse.ArgumentParser()
    add_settings(ap, Cake, required=required)
    return settings_of(Cake, ap.parse_args(list(words)))


def test_what_is_not_given_is_the_blocks_default() -> None:
    assert parsed() == Cake()


@pytest.mark.parametrize(
    "cake",
    [
        Cake(),
        Cake(layers=2, size=64, icing=False, kind="fruit", toppings=[], weights=[0.5, -2.0], name="-x y", heat=1e-9),
        Cake(toppings=["jam", "nuts"], shares={"a b": 0.25}, second=Phase(steps=7)),
    ],
    ids=["plain", "fruit", "layered"],
)
def test_what_the_rules_write_is_read_back_as_it_was(cake: Cake) -> None:
    import shlex

    assert parsed(*shlex.split(flags(cake)), required=True) == cake


def test_scripts_ask_for_every_option_that_the_rules_always_give(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--layers", "2", required=True)
    told = capsys.readouterr().err
    assert "--sugar" in told
    assert "--heat" in told
    assert "--toppings" not in told.rpartition("required")[2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--layers", "10"], "argument --layers: '10': Input should be less than or equal to 9"),
        (["--layers", "two"], "argument --layers: 'two': Input should be a valid integer"),
        (["--size", "31"], "argument --size: '31'"),
        (["--kind", "sponge"], "'sponge'"),
        (["--toppings", "jam", "mud"], "'mud'"),
        (["--second", "{steps: 1}"], "expected a JSON object"),
        (["--second", '{"steps": -1}'], "steps: Input should be greater than or equal to 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parsed(*words)
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err


def test_values_that_do_not_fit_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="a fruit cake has at most 5 layers"):
        parsed("--kind", "fruit", "--layers", "6")


def test_help_shows_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--help")
    shown = capsys.readouterr().out
    assert "at most 100 % of nine" in shown
    assert "--shares JSON" in shown


def blocks(block: type[Block]) -> list[type[Block]]:
    inner = [f.annotation for f in block.model_fields.values()]
    found = [b for b in inner if isinstance(b, type) and issubclass(b, Block)]
    return [block, *(b for each in found for b in blocks(each))]


@pytest.mark.parametrize("block", blocks(Config)[1:], ids=lambda block: block.__name__)
def test_every_block_of_the_configuration_can_be_options(block: type[Block]) -> None:
    ap = argparse.ArgumentParser()
    add_settings(ap, block)
    assert "usage" in ap.format_help()
    values = vars(ap.parse_args([]))
    assert values == {name: field.get_default(call_default_factory=True) for name, field in block.model_fields.items()}
