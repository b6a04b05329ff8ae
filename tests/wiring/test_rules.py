from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from avsieve.config.model import Config, parse_config
from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.errors import ConfigError
from avsieve.fusion.registry import MODELS
from avsieve.wiring.rules import Wiring, builtin_on_real, flags, shell_prefix


def test_settings_become_flags() -> None:
    values = {
        "min_score": 0.5,
        "name": "a b",
        "nothing": None,
        "on": True,
        "off": False,
        "many": [1, "x y"],
        "none": [],
    }
    assert flags(values) == "--min-score 0.5 --name 'a b' --on --no-off --many 1 'x y'"
    assert flags(values, leave=["many", "name"]) == "--min-score 0.5 --on --no-off"
    assert flags({"title": "-5 dB {1}"}) == "--title='-5 dB {1}'"
    media = flags(Config().media, leave=["keep_frames"])
    assert media == "--interval-s 0.4 --jpeg-quality 95 --min-audio-s 0.5"


def test_the_prefix_puts_the_library_on_the_path_and_leaves_conda_its_python() -> None:
    own = shell_prefix(Path("/x/src"), Path("/x/scripts"), own_environments=True)
    assert "PYTHONPATH=/x/src" in own
    assert "PATH=/" not in own.replace("PYTHONPATH=/", "")
    assert "export PATH=" in shell_prefix(Path("/x/src"), Path("/x/scripts"), own_environments=False)


def test_braces_of_a_folder_are_doubled_in_the_prefix() -> None:
    prefix = shell_prefix(Path("/x {2024}/src"), Path("/x {2024}/scripts"), own_environments=False)
    assert "PYTHONPATH='/x {2024}/src'" in prefix.format()


def test_a_path_of_the_users_is_an_input_and_one_of_the_results_is_moved(repository: Path) -> None:
    values = {
        "source": {"kind": "tree", "tree": {"root": "mp4", "train_list": "l.txt"}, "truth": "t.csv"},
        "evaluation": {"trials": "v.txt", "sex": "s.csv", "trained_on": ["d.txt"], "as_norm": {"cohort": "c.txt"}},
        "faces": {"detector": "d.onnx", "landmarks": "p.onnx"},
        "audio": {"checkpoint": "a.safetensors"},
        "visual": {"model": "f.onnx"},
        "export": {"speakers": "w.txt", "utterances": "u.txt"},
    }
    given: list[str] = []

    def keep(path: str) -> str:
        given.append(path)
        return path

    wiring = Wiring(values, repository / "workflow", moved=lambda path: f"avs/{path}", given=keep)
    assert sorted(given) == sorted(
        [f"{name}.txt" for name in "lvdcwu"] + ["t.csv", "s.csv", "d.onnx", "p.onnx", "a.safetensors", "f.onnx"]
    )
    assert wiring.trial_files == {"sex": "s.csv", "truth": "t.csv"}
    assert wiring.report_folders["benchmarks"] == "avs/results/benchmarks"
    assert "--out avs/export/tree" in wiring.export_flags("tree")
    assert all(path.startswith("avs/results/") for path in wiring.fusion_flags["models"])
    assert all(path.startswith("results/") for path in wiring.fusion_models)
    assert Wiring({}, repository / "workflow", moved=lambda path: f"avs/{path}").trial_files == {
        "sex": "avs/results/plan/speakers.csv", "truth": None,
    }  # fmt: skip


def test_cuda_takes_the_gpu_environments_and_a_gpu(repository: Path) -> None:
    cpu, cuda = (Wiring({"device": d}, repository / "workflow") for d in ("cpu", "cuda"))
    assert (cpu.gpu, cuda.gpu) == (0, 1)
    assert (cpu.face_threads, cuda.face_threads) == (1, 4)
    assert (cpu.env("faces"), cuda.env("faces")) == ("../envs/faces.yaml", "../envs/faces-gpu.yaml")
    assert cuda.env("core") == "../envs/core.yaml"


def test_every_environment_that_a_rule_can_ask_for_exists(repository: Path) -> None:
    for device in ("cpu", "cuda"):
        wiring = Wiring({"device": device}, repository / "workflow")
        for family in ("core", "media", "encoders", "faces", "torch", "training", "report"):
            assert (repository / "workflow" / "rules" / wiring.env(family)).resolve().is_file()
        for architecture in (*AUDIO.values(), *VISUAL.values()):
            path = repository / "workflow" / "rules" / wiring.env(architecture.environment)
            assert path.resolve().is_file()
            assert path.stem.endswith("-gpu") == (device == "cuda")


def test_tensorboards_files_stand_beside_the_model_where_they_are_wanted(repository: Path) -> None:
    output = SimpleNamespace(model="results/models/audio/all.safetensors")
    for wanted, option in ((False, ""), (True, "--tensorboard results/models/audio/all.tensorboard")):
        wiring = Wiring({"training": {"tensorboard": wanted}}, repository / "workflow")
        assert wiring.board(None, output) == option
        assert not callable(wiring.board(None, output))


def test_the_workflow_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, avsieve.wiring.rules; print([m for m in ('numpy', 'pandas', 'torch', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_comparison_wants_a_file_per_modality_list_and_seed(repository: Path) -> None:
    values = {"comparison": {"seeds": [5, 6]}, "evaluation": {"as_norm": {"cohort": "mine.txt", "top": 40}}}
    wiring = Wiring(values, repository / "workflow")
    folder = "results/comparison/embeddings"
    assert wiring.arm_files["audio_clean"] == [f"{folder}/audio/clean.{s}.parquet" for s in (5, 6)]
    assert len(wiring.arm_embeddings) == 8
    assert (wiring.cohort_list, wiring.cohort_top) == ("mine.txt", {"top": 40})
    seed = type("Wildcards", (), {"seed": "6"})
    assert wiring.training_of("visual")(seed).endswith("--seed 6")
    assert wiring.training_of("visual")(seed).count("--seed") == 1
    voices = Wiring({"source": {"modalities": "audio"}}, repository / "workflow")
    assert set(voices.arm_files) == {"audio_all", "audio_clean"}
    assert (voices.cohort, voices.comparison) == ([], {})


def test_damaged_signals_are_wanted_of_the_modalities_that_some_condition_damages(repository: Path) -> None:
    def wired(source: object = None, **damage: object) -> Wiring:
        values = {"shards": 1, "evaluation": {"damage": damage}}
        return Wiring(values if source is None else values | {"source": source}, repository / "workflow")

    table, voices = "results/evaluation/damage.parquet", "results/damage_audio/000.parquet"
    assert (wired().damage_files, wired().damage_flags) == ([], {})
    short = [{"name": "short", "kind": "short"}]
    assert wired(conditions=short).damage_files == [table, voices]
    assert wired(conditions=short).damage_flags == {"damage_table": table, "damaged_audio": [voices]}
    assert wired(conditions=short).damage_level == "signal"
    faces = "results/damage_visual/000.parquet"
    assert wired(conditions=["vut"]).damage_files == [table, voices, faces]
    gone = [{"name": "gone", "kind": "missing", "modality": "audio"}]
    assert wired(conditions=gone).damage_files == [table]
    embeddings = {"kind": "embeddings", "embeddings": {"train_list": "l", "audio": "a.npz", "visual": "v.npz"}}
    for wiring in (wired(conditions=["vut"], level="embedding"), wired(embeddings, conditions=["vut"])):
        assert (wiring.damage_files, wiring.damage_level) == ([table], "embedding")


def test_embeddings_have_no_stages_before_them(repository: Path) -> None:
    source = {
        "kind": "embeddings",
        "embeddings": {"train_list": "l.txt", "audio": "v.npy:n.txt", "visual": "w.npz", "test_audio": "t.npz"},
    }
    wiring = Wiring({"source": source, "shards": 2}, repository / "workflow")
    assert wiring.report_folders["status"] == ["results/embed_audio", "results/embed_visual"]
    assert (wiring.shown, wiring.durations) == ({"faces": [], "wavs": []}, [])
    assert wiring.source.table_files("audio") == ["v.npy", "n.txt", "t.npz"]
    assert wiring.source.table_files("audio", only_test=True) == ["t.npz"]
    assert wiring.source.contract.tables("visual") == ["w.npz"]
    with pytest.raises(ConfigError, match=r"align: source\.kind is embeddings"):
        wiring.source.need_media("align", ["x"])(None)  # type: ignore[operator]
    assert Wiring({}, repository / "workflow").source.need_media("align", ["x"]) == ["x"]


def test_embeddings_refuse_what_needs_segments_or_clips(repository: Path) -> None:
    source = {"kind": "embeddings", "embeddings": {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz"}}
    for values, words in (
        (
            {"evaluation": {"protocol": "both"}},
            r"scores by hops, but source\.embeddings\.audio_segments has nothing: add",
        ),
        ({"comparison": {"in_report": True}}, "no wavs and faces"),
        ({"source": {"kind": "embeddings", "embeddings": {"train_list": "l.txt"}}}, "name at least one table"),
        ({"source": {"kind": "embeddings", "embeddings": {"train_list": "l.txt", "audio": "a.npz"}}}, "fusion.models"),
    ):
        with pytest.raises(ConfigError, match=words):
            Wiring({"source": source} | values, repository / "workflow")


def test_tables_of_segments_and_faces_are_read_where_a_model_or_the_protocol_asks_for_them(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODELS["gated"], "sequences", ("eighths", "frames"))
    tables = {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz", "audio_segments": {"eighths": "e.parquet"}}
    source = {"kind": "embeddings", "embeddings": tables}
    with pytest.raises(
        ConfigError, match=r"reads frames, but source\.embeddings\.visual_frames has nothing: add a table"
    ):
        parse_config({"source": source})
    tables["visual_frames"] = ["f.parquet", "g.parquet"]
    wiring = Wiring({"source": source, "shards": 1}, repository / "workflow")
    both = ["results/embed_audio/000.segments.parquet", "results/embed_visual/000.frames.parquet"]
    assert wiring.sequence_files == wiring.sequences_of_model(SimpleNamespace(model="gated")) == both
    assert wiring.source.sequence_files("visual") == ["f.parquet", "g.parquet"]
    shown = flags(wiring.source.sequence_settings("audio"))
    assert shown.startswith("""--tables '{"eighths": ["e.parquet"]}' --names-key utterance""")
    with pytest.raises(
        ConfigError, match=r"scores by hops, but source\.embeddings\.audio_segments has eighths: add hops: "
    ):
        parse_config({"source": source, "evaluation": {"protocol": "both"}})
    voices = {"train_list": "l.txt", "audio": "a.npz", "audio_segments": {"hops": "h.parquet"}}
    values = {"evaluation": {"protocol": "both"}, "fusion": {"models": []}, "shards": 1}
    alone = Wiring({"source": {"kind": "embeddings", "embeddings": voices}} | values, repository / "workflow")
    assert alone.sequence_files == both[:1]


def test_face_images_start_from_their_own_folders(repository: Path) -> None:
    def roots(**given: str) -> dict[str, str | None]:
        source = {"kind": "frames", "modalities": "both" if "faces" in given else "audio", "frames": given}
        return Wiring({"source": source}, repository / "workflow").source.roots

    assert roots(wavs="w", faces="f", test_wavs="tw", test_faces="tf") == {
        "train_root": "f", "test_root": "tf", "train_audio_root": "w", "test_audio_root": "tw",
    }  # fmt: skip
    assert roots(wavs="w", test_wavs="tw") == {"train_root": "w", "test_root": "tw"}
    with pytest.raises(ConfigError, match=r"frames\.faces is missing"):
        Wiring({"source": {"kind": "frames", "frames": {"wavs": "w"}}}, repository / "workflow")


@pytest.mark.parametrize(
    ("source", "more", "expected"),
    [
        ({"kind": "synthetic"}, {}, []),
        ({"kind": "tree", "tree": {"root": "x"}}, {}, ["audio.checkpoint", "faces.detector", "visual.model"]),
        ({"kind": "tree", "tree": {"root": "x"}, "modalities": "audio"}, {}, ["audio.checkpoint"]),
        (
            {"kind": "tree", "tree": {"root": "x"}},
            {"audio": {"checkpoint": "a.safetensors"}, "visual": {"model": "buffalo_l"}},
            ["faces.detector"],
        ),
        (
            {"kind": "frames", "frames": {"faces": "f", "wavs": "w", "aligned": True}},
            {},
            ["audio.checkpoint", "visual.model"],
        ),
        ({"kind": "embeddings", "embeddings": {"train_list": "l", "audio": "a.npz", "visual": "v.npz"}}, {}, []),
    ],
)
def test_builtin_models_are_told_where_real_people_are_seen_and_heard(
    source: dict, more: dict, expected: list[str]
) -> None:
    assert builtin_on_real(parse_config({"source": source, **more})) == expected


def test_the_trials_follow_what_is_known_of_their_labels(repository: Path) -> None:
    def lists(**values: dict) -> list[tuple[str, str]]:
        return Wiring(values, repository / "workflow").trial_lists

    tree = {"kind": "tree", "tree": {"root": "x"}}
    made = "results/evaluation/trials.txt"
    assert lists() == lists(source=tree | {"truth": "t.csv"}) == [("truth", made)]
    assert lists(source=tree) == [("trusted", "results/evaluation/trials_trusted.txt"), ("given", made)]
    assert lists(source=tree, evaluation={"trials": "v.txt"}) == [("official", "v.txt")]


def test_every_list_of_the_users_is_read_under_its_name(repository: Path) -> None:
    def told(trials: object) -> tuple[list[str], str]:
        wiring = Wiring({"evaluation": {"trials": trials}}, repository / "workflow")
        return wiring.trials, flags(wiring.trial_labels)

    assert told("v.txt") == (["v.txt"], "--labels official")
    assert told(["v.txt", "w.txt"]) == (["v.txt", "w.txt"], "--labels official official")
    assert told({"O": "v.txt", "of them": "w.txt"}) == (
        ["v.txt", "w.txt"], "--labels official official --trials-name O 'of them'",
    )  # fmt: skip
    assert told(None)[1] == "--labels truth"


def test_the_headline_is_the_first_model_that_the_configuration_names(repository: Path) -> None:
    for models, expected in ((["linear", "gated"], "linear"), ([], "score_average")):
        assert Wiring({"fusion": {"models": models}}, repository / "workflow").headline == expected


def modules_in(lines: list[str]) -> set[str]:
    return {line.split()[0] for line in lines}


def test_the_decision_depends_on_the_code_of_the_chosen_method_alone(repository: Path) -> None:
    wiring = Wiring({"cleansing": {"method": "two_step"}}, repository / "workflow")
    found = modules_in(wiring.code("clean_list", wiring.method))
    assert {name for name in found if "cleansing.methods." in name} == {"avsieve.cleansing.methods.two_step"}
    assert "avsieve.cleansing.decisions" in found


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
        assert wiring.fusion_weights == {"linear": [], "baffn_gated": [f"given {path}"]}
        told.append(wiring.fusion_started_from["baffn_gated"](SimpleNamespace(model="baffn_gated")))
        assert wiring.fusion_started_from["linear"](SimpleNamespace(model="linear")) == "weights: none"
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
    assert wiring.model_settings(gated) == "--options '{\"hidden\": 7}'"
    assert wiring.model_settings(linear) == "--options '{}'"
    assert wiring.fusion_modules == ["avsieve.fusion.baselines", "avsieve.fusion.linear", "avsieve.fusion.gated"]
    assert wiring.headline == "linear"
    assert any("/clean/gated.2." in path for path in wiring.fusion_models)


def test_only_models_that_read_sequences_have_their_tables_as_inputs(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Wiring({"shards": 1}, repository / "workflow").sequence_files == []
    monkeypatch.setattr(MODELS["gated"], "sequences", ("eighths", "frames"))
    values = {"shards": 1, "audio": {"segments": ["hops", "eighths"]}}
    wiring = Wiring(values, repository / "workflow")
    both = ["results/embed_audio/000.segments.parquet", "results/embed_visual/000.frames.parquet"]
    assert wiring.sequence_files == wiring.sequences_of_model(SimpleNamespace(model="gated")) == both
    assert wiring.sequences_of_model(SimpleNamespace(model="linear")) == []
    shown = wiring.sequence_flags_of_model(SimpleNamespace(model="gated"))
    assert shown == f"--audio-segments {both[0]} --visual-frames {both[1]}"


def test_a_segmentation_that_is_read_has_to_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"scores by the segmentation hops, but audio\.segments has centre"):
        parse_config({"audio": {"segments": ["centre"]}, "evaluation": {"protocol": "both"}})
    monkeypatch.setattr(MODELS["gated"], "sequences", ("eighths", "frames"))
    with pytest.raises(ConfigError, match=r"gated, which reads the segmentation eighths, but audio\.segments has hops"):
        parse_config({})
    source = {"kind": "embeddings", "embeddings": {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz"}}
    with pytest.raises(
        ConfigError, match=r"gated, which reads eighths, but source\.embeddings\.audio_segments has nothing"
    ):
        parse_config({"source": source})
