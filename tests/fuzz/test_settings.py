"""Configurations that nobody would write: an error of ours that can be read, or a configuration."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from avsieve.config.model import Config, parse_config
from avsieve.wiring.checks import need_source
from avsieve.wiring.rules import Wiring
from tests.fuzz.conftest import FUZZ, cases, try_each
from tests.fuzz.odd_settings import settings_of
from tests.fuzz.test_parsers import LONGEST_S, alarm, outcome_of

__all__ = ["alarm"]  # a fixture

ROOT = Path(__file__).parents[2]


@cache
def seeds() -> list[dict[str, Any]]:
    """Return the configurations that ship, each over the defaults, and the defaults written out."""
    base = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    own = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "config").glob("*.yaml"))]
    whole = Config.model_validate(base).model_dump(mode="json", exclude_defaults=False)
    return [*(base | values for values in own), whole]


def check(read: Callable[[dict[str, Any]], object], dice: random.Random) -> None:
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    outcome_of(read, settings_of(seeds(), dice))
    signal.setitimer(signal.ITIMER_PROF, 0)


def wire(values: dict[str, Any]) -> None:
    """Do what the workflow does before it makes its rules."""
    need_source(Wiring(values, ROOT / "workflow", ahead=False).config)


def test_values_give_a_configuration_or_an_error_of_ours() -> None:
    @FUZZ
    @given(cases)
    def run(numbers: range) -> None:
        try_each(numbers, partial(check, parse_config))

    run()


def test_a_run_is_wired_or_refused_with_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    @FUZZ
    @given(cases)
    def run(numbers: range) -> None:
        try_each(numbers, partial(check, wire))

    run()


def test_the_configurations_that_are_changed_are_read_at_first() -> None:
    for values in seeds():
        assert parse_config(values)
