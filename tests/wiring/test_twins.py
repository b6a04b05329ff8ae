from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from avsieve.wiring.rules import Wiring


def test_twins_are_wanted_by_the_models_that_learn_from_them(repository: Path) -> None:
    def wired(**twins: object) -> Wiring:
        values = {"shards": 1, "fusion": {"models": ["evidence", "gated"], "twins": twins}}
        return Wiring(values, repository / "workflow")

    evidence, gated = SimpleNamespace(model="evidence"), SimpleNamespace(model="gated")
    assert wired().twins.of_model(evidence) == []
    assert wired().twins.flags_of_model(evidence) == ""
    table, voices, faces = (
        f"results/{path}.parquet" for path in ("twins/twins", "twins_audio/000", "twins_visual/000")
    )
    varied = wired(conditions=["varied"]).twins
    assert varied.of_model(evidence) == [table, voices, faces]
    assert varied.flags_of_model(evidence) == f"--twin-table {table} --twin-audio {voices} --twin-visual {faces}"
    assert varied.of_model(gated) == []
    assert varied.flags_of_model(gated) == ""
    assert varied.settings["twins"]["utterances"] == 20_000
    assert wired(conditions=["varied"], level="embedding").twins.of_model(evidence) == [table]
