from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.errors import ConfigError
from avsieve.storage import paths as P
from avsieve.wiring.flags import flags
from avsieve.wiring.rules import Wiring


def test_a_path_of_the_users_is_an_input_and_one_of_the_results_is_moved(repository: Path) -> None:
    values = {
        "source": {"kind": "tree", "tree": {"root": "mp4", "train_list": "l.txt"}, "truth": "t.csv"},
        "evaluation": {"trials": "v.txt", "sex": "s.csv", "trained_on": ["d.txt"], "as_norm": {"cohort": "c.txt"}},
        "faces": {"detector": "d.onnx", "landmarks": "p.onnx"},
        "audio": {"checkpoint": "a.safetensors"},
        "visual": {"model": "f.onnx"},
        "export": {"speakers": "w.txt", "utterances": "u.txt"},
        "cleansing": {"review": "r.csv"},
    }
    given: list[str] = []

    def keep(path: str) -> str:
        given.append(path)
        return path

    wiring = Wiring(values, repository / "workflow", moved=lambda path: f"avs/{path}", given=keep)
    assert sorted(given) == sorted(
        [f"{name}.txt" for name in "lvdcwu"]
        + ["t.csv", "s.csv", "r.csv", "d.onnx", "p.onnx", "a.safetensors", "f.onnx"]
    )
    assert wiring.trial_files == {"sex": "s.csv", "truth": "t.csv"}
    assert wiring.report_folders["benchmarks"] == "avs/results/benchmarks"
    assert "--out avs/export/tree" in wiring.export_flags("tree")
    assert all(path.startswith("avs/results/") for path in wiring.fusion.model_flags["models"])
    assert all(path.startswith("results/") for path in wiring.fusion.models)
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


def test_an_audit_is_an_input_of_the_report_only_where_the_configuration_asks_for_it(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = []
    for content in (None, "{}", "[]"):
        if content is not None:
            Path(P.audit.audit).parent.mkdir(parents=True, exist_ok=True)
            Path(P.audit.audit).write_text(content)
        wiring = Wiring({}, repository / "workflow")
        assert wiring.audit == []
        assert wiring.audit_flag == {"audit": P.audit.audit}
        told.append(wiring.audited(None))
    assert told[0] == f"audit: {P.audit.audit} absent"
    assert len(set(told)) == 3
    asked = Wiring({"report": {"with_audit": True}}, repository / "workflow")
    assert asked.audit == [P.audit.audit]
    assert asked.audited(None) == "audit: an input"  # Snakemake knows of it: its content is no parameter besides
    moved = Wiring({}, repository / "workflow", moved=lambda path: f"avs/{path}")
    assert moved.audited(None) == f"audit: avs/{P.audit.audit} absent"


def test_embeddings_have_no_stages_before_them(repository: Path) -> None:
    source = {
        "kind": "embeddings",
        "embeddings": {"train_list": "l.txt", "audio": "v.npy:n.txt", "visual": "w.npz", "test_audio": "t.npz"},
    }
    wiring = Wiring({"source": source, "shards": 2}, repository / "workflow")
    assert wiring.report_folders["status"] == ["results/embed_audio", "results/embed_visual"]
    assert (wiring.shown, wiring.durations) == ({"faces": [], "boxes": [], "wavs": [], "clips": []}, [])
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


def modules_in(lines: list[str]) -> set[str]:
    return {line.split()[0] for line in lines}


def test_the_decision_depends_on_the_code_of_the_chosen_method_alone(repository: Path) -> None:
    wiring = Wiring({"cleansing": {"method": "two_step"}}, repository / "workflow")
    found = modules_in(wiring.code("clean_list", wiring.method))
    assert {name for name in found if "cleansing.methods." in name} == {"avsieve.cleansing.methods.two_step"}
    assert "avsieve.cleansing.decisions" in found
