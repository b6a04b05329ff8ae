from __future__ import annotations

import json
import runpy
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from avsieve.config.model import parse_config
from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import ConfigError
from avsieve.fusion.base import FusionModel, TrainedModel
from avsieve.fusion.checkpoint import load_fusion
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import HEADS, TRAINED, Fusion
from avsieve.fusion.trained_models import trained_model
from avsieve.joint.base import JointModel
from avsieve.report.errors import label_of
from avsieve.settings import filled
from avsieve.storage.tables import write_table
from avsieve.wiring.flags import flags

from .made_up import make_people, new_model
from .made_up_model import Sum, SumSettings

SUM = f"{Sum.__module__}:Sum"


@pytest.mark.parametrize("name", MODELS)
def test_every_model_fulfils_the_contract(name):
    model = MODELS[name]
    assert issubclass(model, FusionModel)
    assert model.name == name
    assert label_of(name) == model.label != ""
    assert model.__doc__
    assert set(model.needs) <= {"audio", "visual"}
    assert filled(model.settings, {}, name) == model.settings()
    assert all(field.description for field in model.settings.model_fields.values())
    assert model.trained == (name in TRAINED)
    assert issubclass(model, TrainedModel) == (name in HEADS)
    assert issubclass(model, JointModel) == model.joint == (name in TRAINED and name not in HEADS)


@pytest.mark.parametrize("name", HEADS)
def test_a_network_names_its_model_in_messages(name):
    assert new_model(name, 4, 3, dim=5).network.name == name


def test_a_model_that_is_not_trained_is_refused():
    for name in ("audio", "magic", "avn_f"):
        expected = f"fusion model '{name}' cannot be trained on embeddings; expected one of {', '.join(HEADS)}"
        with pytest.raises(ConfigError, match=expected):
            trained_model(name)


def test_nothing_heavy_is_imported_for_settings_and_labels():
    code = (
        "import sys, avsieve.config.model; from avsieve.fusion.registry import MODELS; "
        "[model.label for model in MODELS.values()]; "
        "sys.exit(' '.join({'numpy', 'pandas', 'pyarrow', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) in ((0, ""), (1, "\n")), done.stderr


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["gate"], f"expected one of {', '.join(TRAINED)}"),
        (["audio"], f"expected one of {', '.join(TRAINED)}"),
        ([{"hidden": 3}], f"expected one of {', '.join(TRAINED)}"),
        ([{"name": "gated", "width": 3}], "gated: unknown option 'width'; it has hidden"),
        ([{"name": "gated", "hidden": 0}], "gated: hidden 0; expected a whole number, at least 1"),
        ([{"name": "linear", "hidden": 3}], "linear: unknown option 'hidden'; it has none"),
        (["gated", {"name": "gated"}], "gated is named 2 times; expected each model once"),
    ],
)
def test_models_that_cannot_be_are_refused(models, message):
    with pytest.raises(ConfigError) as caught:
        parse_config({"fusion": {"models": models}})
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("fusion", "message"),
    [
        ({"hidden": 64}, "there is no key fusion.hidden any more; it is now a setting of its model: fusion.models: "),
        ({"pull": 0}, "there is no key fusion.pull any more; it is now fusion.l2_sp"),
    ],
)
def test_keys_of_before_say_where_they_went(fusion, message):
    with pytest.raises(ConfigError, match=message):
        parse_config({"fusion": fusion})


def test_a_model_is_named_alone_or_with_its_settings():
    fusion = parse_config({"fusion": {"models": ["linear", {"name": "gated", "hidden": 8}]}}).fusion
    assert fusion.names == ["linear", "gated"]
    assert fusion.own("gated").model_dump() == {"hidden": 8}
    assert fusion.own("linear").model_dump() == {}
    assert Fusion().own("gated").model_dump() == {"hidden": 32}


def test_a_new_model_needs_its_module_and_a_line_in_the_registry_for_the_configuration():
    code = f"""
from avsieve.fusion.registry import MODELS
MODELS._entries["sum"] = "{SUM}"
from avsieve.config.docs import reference, schema
from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.report.errors import label_of

fusion = parse_config({{"fusion": {{"models": ["sum", {{"name": "gated", "hidden": 2}}]}}}}).fusion
assert fusion.names == ["sum", "gated"] and fusion.own("sum").factor == 1.0
try:
    parse_config({{"fusion": {{"models": [{{"name": "sum", "factor": 0}}]}}}})
except ConfigError as error:
    assert "sum: factor 0; expected a number, above 0" in str(error), error
else:
    raise AssertionError
assert "weighted sum" in reference() and "factor" in schema() and label_of("sum") == "weighted sum"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_new_model_is_trained_saved_and_read_by_the_script(tmp_path, repository, monkeypatch, capsys):
    inputs, speakers = make_people("p", 6)
    for name, stream in inputs.streams.items():
        write_embeddings(tmp_path / f"{name}.parquet", inputs.utterances, stream.pooled)
    lines = [f"{s} {u}.wav 1.0" for s, u in zip(speakers, inputs.utterances, strict=True)]
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    held_out = [s == speakers[0] for s in speakers]
    write_table(tmp_path / "plan.parquet", pd.DataFrame({"utterance": inputs.utterances, "held_out": held_out}))
    monkeypatch.setitem(MODELS._entries, "sum", SUM)
    monkeypatch.setattr("avsieve.fusion.settings.HEADS", (*HEADS, "sum"))
    words = ["--list", "list.txt", "--list-name", "all", "--plan", "plan.parquet", "--audio", "audio.parquet"]
    words += ["--visual", "visual.parquet", "--model", "sum", "--options", json.dumps({"factor": 2.0})]
    words += shlex.split(flags(Fusion(dim=6, epochs=2), leave=["models", "seeds", "twins"]))
    words += ["--seed", "3", "4", "--device", "cpu", "--devices", "1", "--threads", "1"]
    words += ["--out", "3.safetensors", "4.safetensors"]
    script = repository / "workflow/scripts/train_fusion.py"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), *words])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code == 0
    assert "sum on all: 45 utterances of 5 speakers, cpu" in capsys.readouterr().out
    found = load_fusion("4.safetensors")
    assert (found.model.name, found.seed, found.trained_on) == ("sum", 4, "all")
    assert found.model.own == SumSettings(factor=2.0)
    assert speakers[0] not in found.speakers
    assert found.facts["recipe"]["epochs"] == 2
    assert np.isfinite(found.model.encode(inputs)[0].vectors).all()
