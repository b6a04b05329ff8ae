from __future__ import annotations

import subprocess
import sys
from inspect import signature

import pytest

from avsieve.cleansing.options import METHODS, OPTIONS, check_options, check_policy, check_threshold, parse_options
from avsieve.cleansing.registry import load_method
from avsieve.config.model import Cleansing
from avsieve.errors import ConfigError


@pytest.mark.parametrize("method", METHODS)
def test_the_table_has_the_options_of_the_method_itself_and_its_defaults_fit(method):
    parameters = [p for p in signature(load_method(method)).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert {p.name for p in parameters} == set(OPTIONS[method])
    check_options(method, {p.name: p.default for p in parameters})


def test_the_configuration_names_the_same_methods():
    assert Cleansing.model_fields["method"].annotation.__args__ == METHODS


def test_nothing_heavy_is_imported_where_snakemake_checks_the_configuration():
    code = "import sys, avsieve.config.model; sys.exit(' '.join({'numpy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) in ((0, ""), (1, "\n")), done.stderr


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("magic", {}, "cleansing method 'magic'; expected one of posterior, "),
        ("posterior", {"treshold": 1}, "posterior: unknown option 'treshold'; it has rounds, seed"),
        ("posterior", {"rounds": 0}, "posterior: rounds 0; expected a whole number, 1 or more"),
        ("posterior", {"rounds": True}, "rounds True; expected a whole number"),
        ("posterior", {"rounds": "6"}, "rounds '6'; expected a whole number"),
        ("fixed_threshold", {"thresholds": [0.5, 0.4]}, "expected one or more cosines in rising order"),
        ("fixed_threshold", {"thresholds": []}, "expected one or more cosines"),
        ("fixed_threshold", {"thresholds": 0.4}, "expected one or more cosines"),
        ("two_step", {"audio_threshold": 40}, "expected a cosine, -1 to 1"),
        ("mixture", {"robust_centres": "yes"}, "expected true or false"),
        ("confident", {"sharpness": float("inf")}, "expected a number above 0"),
        ("confident", {"score": "best"}, "expected one of self_confidence, normalized_margin"),
    ],
)
def test_what_an_option_cannot_be_is_refused_in_words(method, options, message):
    with pytest.raises(ConfigError, match=message):
        check_options(method, options)


@pytest.mark.parametrize(
    ("policy", "given", "message"),
    [
        ("visual", ["audio"], "policy visual judges faces, and no face embeddings were given"),
        ("audio", ["visual"], "policy audio judges voices, and no voice embeddings were given"),
        ("both", ["audio"], "no face embeddings were given: give them, or choose policy either or audio"),
        ("most", ["audio"], "policy 'most'; expected one of either, audio, visual, both"),
    ],
)
def test_a_policy_about_what_there_is_not_is_refused(policy, given, message):
    with pytest.raises(ConfigError, match=message):
        check_policy(policy, given)


def test_policies_about_what_there_is_pass():
    for policy, given in (("either", ["audio"]), ("visual", ["visual"]), ("both", ["audio", "visual"])):
        check_policy(policy, given)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(ConfigError, match="expected a probability, 0 to 1"):
        check_threshold(threshold)


@pytest.mark.parametrize("text", ["{", "[1]", "3", "rounds=3"])
def test_options_on_a_command_line_are_a_json_object(text):
    with pytest.raises(ConfigError, match="expected a JSON object"):
        parse_options(text)
