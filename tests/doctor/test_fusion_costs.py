from __future__ import annotations

from typing import Any

import pytest

from avsieve.config.model import Config, parse_config
from avsieve.doctor.costs import estimate
from avsieve.doctor.fusion_costs import EXAMPLE_S, encoding_s, trainings
from avsieve.doctor.rates import shipped_rates
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.registry import MODELS
from avsieve.sources.findings import SourceFacts


def seconds(*models: Any, utterances: int = 6400, speakers: int = 60, **fusion: Any) -> dict[str, float]:
    config = parse_config({"audio": {"segments": ["hops", "eighths"]}, "fusion": {"models": list(models), **fusion}})
    return {each.model: each.core_s for each in trainings(config, utterances, speakers)}


def test_every_network_has_a_figure_that_was_measured() -> None:
    assert set(EXAMPLE_S) == {name for name, model in MODELS.items() if issubclass(model, NeuralModel)}


def test_a_training_costs_its_own_steps_and_every_seed() -> None:
    one, three = (seconds("linear", seeds=seeds)["linear"] for seeds in ([0], [0, 1, 2]))
    assert three - one == pytest.approx(2 * (one - 0.5))
    assert one == pytest.approx(0.5 + 40 * 100 * (64 * 3.3e-5 + 60 * 128 * 1.1e-8))
    short = seconds({"name": "baffn_gated", "pairs": 640, "epochs": 2}, seeds=[0])["baffn_gated"]
    assert short == pytest.approx(0.5 + 20 * (64 * 2.9e-4 + 60 * 1024 * 1.1e-8))


def test_speakers_cost_what_was_measured() -> None:
    # A step of `linear` with 6,000 speakers: 10.7 ms, with 60 1.6 ms.
    few, many = (seconds("linear", seeds=[0], epochs=1, speakers=n)["linear"] - 0.5 for n in (60, 6000))
    assert 0.0107 / 1.5 < many / 100 < 1.5 * 0.0107
    assert 0.0016 / 1.5 < few / 100 < 1.5 * 0.0016


def test_what_is_fitted_costs_its_pairs_and_no_more_than_are_drawn() -> None:
    # 3,000 utterances of 60 speakers: 0.55 and 1.56 s.
    found = seconds("calibrated", "evidence", utterances=3000, seeds=[0])
    assert 0.55 / 1.5 < found["calibrated"] - 0.5 < 1.5 * 0.55
    assert 1.56 / 1.5 < found["evidence"] - 0.5 < 1.5 * 1.56
    large = seconds("calibrated", utterances=1_000_000, speakers=6000, seeds=[0])["calibrated"]
    assert large == pytest.approx(0.5 + 400_000 * 4e-6)


def test_models_that_stay_at_given_weights_are_not_trained() -> None:
    stays = {"name": "baffn_gated", "weights": "w.pt", "train": False}
    assert seconds(stays)["baffn_gated"] == 0.5
    assert encoding_s("baffn_gated") > encoding_s("linear") > encoding_s("evidence") == 0


def of(config: Config) -> Any:
    facts = SourceFacts(utterances=960, seconds=960 * 1.6, speakers=100)
    return {c.stage: c for c in estimate(config, facts, shipped_rates(config, None, None), gpu=False)}


def test_models_lists_and_seeds_are_told_and_what_takes_most_of_it() -> None:
    values = {"audio": {"segments": ["hops", "eighths"]}}
    config = parse_config(values | {"fusion": {"models": ["linear", "gated", "rjca"], "seeds": [0, 1]}})
    cost = of(config)["train fusion"]
    assert cost.work == "3 models, 2 lists, 2 seeds; 94% of it rjca"
    assert cost.jobs == 6
    assert of(parse_config({}))["train fusion"].work == "2 models, 2 lists, 3 seeds"
    assert "train fusion" not in of(parse_config({"fusion": {"models": []}}))
