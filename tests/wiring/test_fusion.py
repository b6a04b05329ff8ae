from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from avsieve.wiring.rules import Wiring


def modules_in(lines: list[str]) -> set[str]:
    return {line.split()[0] for line in lines}


def test_the_headline_is_the_first_model_that_the_configuration_names(repository: Path) -> None:
    for models, expected in ((["linear", "gated"], "linear"), ([], "score_average")):
        assert Wiring({"fusion": {"models": models}}, repository / "workflow").fusion.headline == expected


def test_published_weights_are_an_input_of_their_models_training_and_their_content_a_parameter(
    repository: Path, tmp_path: Path
) -> None:
    path = tmp_path / "BAFFN.model"
    path.write_bytes(b"weights")
    values = {"fusion": {"models": ["linear", {"name": "baffn_gated", "weights": str(path)}]}}
    told = []
    for content in (b"weights", b"others"):
        path.write_bytes(content)
        wiring = Wiring(values, repository / "workflow", given=lambda path: f"given {path}")
        assert wiring.fusion.weights == {"linear": [], "baffn_gated": [f"given {path}"]}
        told.append(wiring.fusion.started_from["baffn_gated"](SimpleNamespace(model="baffn_gated")))
        assert wiring.fusion.started_from["linear"](SimpleNamespace(model="linear")) == "weights: none"
    assert told[0] != told[1]
    assert all(str(path) in line for line in told)


def test_a_training_depends_on_the_code_of_its_own_model_and_the_evaluation_on_all(repository: Path) -> None:
    values = {"fusion": {"models": ["linear", {"name": "gated", "hidden": 7}]}}
    wiring = Wiring(values, repository / "workflow")
    gated, linear = (SimpleNamespace(model=name) for name in ("gated", "linear"))
    own = {"avsieve.fusion.gated", "avsieve.fusion.gated_network", "avsieve.fusion.missing"}
    assert modules_in(wiring.model_code(gated)) == own
    assert modules_in(wiring.model_code(linear)) == {"avsieve.fusion.linear", "avsieve.fusion.linear_network"}
    assert not {"avsieve.fusion.gated", "avsieve.fusion.linear"} & modules_in(wiring.code("train_fusion"))
    assert wiring.fusion.settings(gated) == "--options '{\"hidden\": 7}'"
    assert wiring.fusion.settings(linear) == "--options '{}'"
    assert wiring.fusion.modules == ["avsieve.fusion.baselines", "avsieve.fusion.linear", "avsieve.fusion.gated"]
    assert wiring.fusion.headline == "linear"
    assert any("/clean/gated.2." in path for path in wiring.fusion.models)
