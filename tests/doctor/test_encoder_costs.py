from __future__ import annotations

from typing import Any

import pytest

from avsieve.config.model import parse_config
from avsieve.doctor.encoder_costs import GPU_CORES, EncoderCost, encoder_cost
from avsieve.doctor.rates import FACES, SHIPPED, VOICES, Rate
from avsieve.encoders.registry import AUDIO, VISUAL


def cost(modality: str, measured: Rate | None = None, **config: Any) -> EncoderCost:
    return encoder_cost(parse_config(config), modality, measured)


def test_a_step_of_the_shipped_voice_encoder_takes_what_was_measured() -> None:
    # docs/benchmarks.md, "Training": 32 crops of 2.015 s in 240 ms, and 27 ms of a core to prepare them.
    audio = {"steps": 1, "batch": 32, "crop_s": 2.015}
    assert cost("audio", training={"audio": audio}).fixed_s == pytest.approx(0.267, rel=0.1)


def test_a_gpu_is_worth_no_more_than_the_slowest_that_was_measured() -> None:
    # docs/benchmarks.md, "On a GPU": batches of 128 at 5.8 steps a second without workers, `ecapa1024` in fp32.
    training = {"audio": {"arch": "ecapa1024", "steps": 1, "batch": 128}}
    on_gpu = cost("audio", device="cuda", training=training)
    assert 1 / 5.8 < on_gpu.fixed_s < 3 / 5.8
    assert str(GPU_CORES) in on_gpu.origin


def test_all_phases_count_and_processes_share_them() -> None:
    plain = {"epochs": 3, "batch": 10, "crop_s": 2.0}
    with_margin = plain | {"large_margin": {"steps": 5, "batch": 4, "crop_s": 6.0}}
    one, both = (cost("audio", training={"audio": audio}) for audio in (plain, with_margin))
    each_s = one.utterance_s / 3
    assert one.fixed_s == 0
    assert both.utterance_s == one.utterance_s
    assert both.fixed_s == pytest.approx(20 * (each_s * 3 - 2 * 8.5e-4))  # three times as long, prepared once
    assert both.seconds(100) == pytest.approx(both.fixed_s + 100 * one.utterance_s)
    shared = cost("audio", training={"audio": with_margin, "devices": 2, "nodes": 2})
    assert shared.seconds(100) == pytest.approx(both.seconds(100) / 4)
    assert cost("audio", training={"audio": plain, "workers": 4}).utterance_s < one.utterance_s


def test_what_was_measured_of_one_network_tells_of_another_and_shipped_figures_are_no_measurement() -> None:
    training = {"visual": {"arch": "iresnet18", "steps": 100}}
    shipped = cost("visual", training=training)
    assert cost("visual", Rate(0.0005, SHIPPED), training=training) == shipped
    measured = cost("visual", Rate(10 * FACES["iresnet100"][0], "measured now"), training=training,
                    visual={"arch": "iresnet100", "model": "f.pt"}, device="cuda")  # fmt: skip
    assert measured.origin == "measured now"
    prepared = 100 * 64 * 5e-4
    assert measured.fixed_s - prepared == pytest.approx(10 * (shipped.fixed_s - prepared))


def test_every_network_that_can_be_trained_has_a_figure() -> None:
    assert set(AUDIO) - {"onnx"} <= set(VOICES)
    assert set(VISUAL) - {"onnx"} <= set(FACES)
