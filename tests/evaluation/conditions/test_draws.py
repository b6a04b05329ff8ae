from __future__ import annotations

import numpy as np

from avsieve.evaluation.conditions.draws import drawn_parameters


def test_of_each_list_one_value_is_drawn_and_the_rest_stays() -> None:
    parameters = {"words": ["white", "pink"], "whole": [8, 10], "broken": [0.5, 1.5], "plain": 3}
    found = [drawn_parameters(parameters, np.random.default_rng(seed)) for seed in range(40)]
    assert {each["words"] for each in found} == {"white", "pink"}
    assert {each["whole"] for each in found} == {8, 9, 10}
    assert all(0.5 <= each["broken"] <= 1.5 for each in found)
    assert {each["plain"] for each in found} == {3}
    assert found[7] == drawn_parameters(dict(reversed(parameters.items())), np.random.default_rng(7))
