from __future__ import annotations

import pytest

from avsieve.cleansing.policy import check_policy, check_threshold
from avsieve.errors import ConfigError


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
