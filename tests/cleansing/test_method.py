from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from avsieve.cleansing.judge import judge
from avsieve.cleansing.method import Method
from avsieve.cleansing.registry import METHODS
from avsieve.cleansing.result import Judgement
from avsieve.errors import ConfigError
from avsieve.settings import Block, filled, key

from .conftest import f1


@pytest.mark.parametrize("name", METHODS)
def test_every_method_fulfils_the_contract(name):
    method = METHODS[name]
    assert issubclass(method, Method)
    assert method.name == name
    assert method.label
    assert method.__doc__
    assert issubclass(method.settings, Block)
    assert all(field.description for field in method.settings.model_fields.values())
    assert filled(method.settings, {}, name) == method.settings()
    assert filled(method.settings, method.settings().model_dump(), name) == method.settings()


def test_nothing_heavy_is_imported_where_snakemake_checks_the_configuration():
    code = (
        "import sys, avsieve.config.model; from avsieve.cleansing.registry import METHODS; list(METHODS.values()); "
        "sys.exit(' '.join({'numpy', 'pandas', 'pyarrow', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) in ((0, ""), (1, "\n")), done.stderr


def test_pandas_is_imported_only_where_its_tables_are_wanted():
    code = "import sys, avsieve.cleansing.evidence; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("magic", {}, "cleansing method 'magic'; expected one of posterior, "),
        ("posterior", {"treshold": 1}, "posterior: unknown option 'treshold'; it has rounds, sceptical, seed"),
        ("posterior", {"rounds": 0}, "posterior: rounds 0; expected a whole number, at least 1"),
        ("posterior", {"rounds": True}, "rounds True; expected a whole number"),
        ("posterior", {"rounds": "six"}, "rounds 'six'; expected a whole number"),
        ("fixed_threshold", {"thresholds": [0.5, 0.4]}, "expected one or more cosines in rising order"),
        ("fixed_threshold", {"thresholds": []}, "expected one or more cosines"),
        ("fixed_threshold", {"thresholds": 0.4}, "expected a list of number, at least -1 and at most 1"),
        ("two_step", {"audio_threshold": 40}, "expected a number, at least -1 and at most 1, or nothing"),
        ("mixture", {"robust_centres": "yes"}, "expected true or false"),
        ("confident", {"sharpness": float("inf")}, "expected a number, above 0"),
        ("confident", {"score": "best"}, "expected `self_confidence` or `normalized_margin`"),
    ],
)
def test_what_an_option_cannot_be_is_refused_in_words(method, options, message):
    with pytest.raises(ConfigError, match=message):
        judge(None, method, options)


class LowSettings(Block):
    """Options of the method below."""

    below: float = key(0.2, "Cosine below which a voice is wrong.", ge=-1, le=1)


class Low(Method[LowSettings]):
    """A method that nobody needs."""

    name = "low"
    label = "low similarity"
    settings = LowSettings

    def judge(self, scores, settings):
        wrong = (scores.audio.similarity < settings.below).astype(float)
        return Judgement(wrong, np.full(len(wrong), np.nan), wrong, calibrated=False)


def test_a_new_method_needs_its_module_and_a_line_in_the_registry():
    code = f"""
import argparse, json, sys
from avsieve.cleansing.registry import METHODS
METHODS._entries["low"] = "{__name__}:Low"
from avsieve.cleansing.settings import Cleansing
from avsieve.config.model import parse_config
from avsieve.config.docs import reference, schema
from avsieve.errors import ConfigError
from avsieve.runtime.options import add_settings, settings_of

given = {{"method": "low", "options": {{"below": 0.4}}}}
assert parse_config({{"cleansing": given}}).cleansing.options == {{"below": 0.4}}
try:
    parse_config({{"cleansing": {{"method": "low", "options": {{"below": 3}}}}}})
except ConfigError as error:
    assert "low: below 3; expected a number, at least -1 and at most 1" in str(error), error
else:
    raise AssertionError
ap = argparse.ArgumentParser()
add_settings(ap, Cleansing)
args = ap.parse_args(["--method", "low", "--options", json.dumps(given["options"])])
assert settings_of(Cleansing, args) == Cleansing(**given)
assert "low similarity" in reference() and '"low"' in schema()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_new_method_judges_with_its_own_settings(scored, monkeypatch):
    monkeypatch.setitem(METHODS._entries, "low", f"{__name__}:Low")
    found = judge(scored.scores, "low", {"below": 0.4})
    np.testing.assert_array_equal(found.wrong == 1, scored.scores.audio.similarity < 0.4)
    assert (judge(scored.scores, "low").wrong.sum()) < found.wrong.sum()


@pytest.mark.parametrize(
    ("method", "least"), [("posterior", 0.95), ("two_step", 0.8), ("mixture", 0.8), ("fixed_threshold", 0.4)]
)
def test_every_method_finds_wrong_labels_without_being_told_any(scored, method, least):
    judgement = judge(scored.scores, method)
    assert f1(scored.wrong, judgement.wrong > 0.5) >= least


def test_cleanlab_runs_as_a_peer(scored):
    pytest.importorskip("cleanlab")
    judgement = judge(scored.scores, "confident")
    assert f1(scored.wrong, judgement.wrong > 0.5) > 0.5


def test_the_default_beats_every_other_method(scored):
    pytest.importorskip("cleanlab")
    found = {m: f1(scored.wrong, judge(scored.scores, m).wrong > 0.5) for m in METHODS}
    assert max(found, key=found.get) == "posterior", found
