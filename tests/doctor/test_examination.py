"""The doctor: each broken set-up gives its finding, with a remedy, and a status of 1."""

from __future__ import annotations

import json
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pandas as pd
import pytest
import yaml

from avsieve.cli import main
from avsieve.doctor import disk, software
from avsieve.doctor.examination import Examination, examine
from avsieve.doctor.settings import read_settings
from avsieve.errors import AvsieveError, ConfigError
from avsieve.sources.findings import Finding

TREE = {"source": {"kind": "tree", "tree": {"root": "clips"}}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(folder: Path, values: dict, name: str = "my.yaml") -> Path:
    (folder / name).write_text(yaml.safe_dump(values))
    return folder / name


def found(done: Examination, subject: str) -> Finding:
    return max(
        (f for f in done.findings if f.subject == subject),
        key=lambda f: ["ok", "note", "warning", "error"].index(f.level),
    )


def broken(done: Examination, subject: str) -> Finding:
    finding = found(done, subject)
    assert finding.level == "error"
    assert finding.remedy
    assert done.stops
    return finding


def status(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["avsieve", "doctor", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_the_demo_is_ready_to_run_and_nothing_is_written(folder: Path, monkeypatch, capsys) -> None:
    assert status(monkeypatch, "--cores", "2") == 0
    told = capsys.readouterr().out
    assert "336 utterances of 28 speakers" in told
    assert "0 errors" in told
    assert "\033" not in told  # no terminal, no colours
    assert list(folder.iterdir()) == []


def test_as_json_it_holds_findings_and_costs(folder: Path, monkeypatch, capsys) -> None:
    path = config(folder, {"faces": {"detector": "nowhere.onnx"}})
    assert status(monkeypatch, str(path), "--json", "--cores", "4") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert {c["stage"] for c in told["costs"]} >= {"extract", "align", "embed_audio", "embed_visual"}
    assert any(f["subject"] == "faces.detector" and f["level"] == "error" for f in told["findings"])


def test_an_unknown_key_ends_with_one_message(folder: Path, monkeypatch, capsys) -> None:
    assert status(monkeypatch, str(config(folder, {"shardz": 3}))) == 1
    assert "unknown key shardz" in capsys.readouterr().err


def test_later_files_win_block_by_block(folder: Path) -> None:
    first = config(folder, {"source": {"synthetic": {"speakers": 10, "videos": 2}}}, "a.yaml")
    second = config(folder, {"source": {"synthetic": {"videos": 3}}}, "b.yaml")
    done = examine([first, second], cores=1)
    assert "90 utterances of 10 speakers" in found(done, "source").text
    with pytest.raises(ConfigError, match=r"no\.yaml"):
        examine([folder / "no.yaml"], cores=1)


def test_a_missing_pack_says_how_to_get_it_and_its_terms(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    finding = broken(examine([config(folder, {"faces": {"detector": "buffalo_l"}})], cores=1), "faces.detector")
    assert "FaceAnalysis('buffalo_l')" in finding.remedy
    assert "non-commercial" in finding.remedy


def test_models_of_another_kind_are_refused(folder: Path, repository: Path) -> None:
    models = repository / "src/avsieve/models"
    values = {
        "faces": {"detector": str(models / "faces.onnx"), "detector_size": 225},
        "visual": {"model": str(models / "detector.onnx")},
        "audio": {"arch": "ecapa512", "checkpoint": str(models / "audio_ecapa_small.safetensors")},
    }
    done = examine([config(folder, values)], cores=1)
    assert "expected the 9" in broken(done, "faces.detector").text
    assert "recognition model" in broken(done, "visual.model").text
    assert "ecapa_small" in broken(done, "audio.checkpoint").text
    assert "224 or 256" in broken(done, "faces.detector_size").remedy


def test_landmarks_that_are_not_there_stop_and_aligned_faces_need_no_detector(folder: Path) -> None:
    done = examine([config(folder, {"faces": {"landmarks": "nowhere.onnx"}})], cores=1)
    broken(done, "faces.landmarks")
    frames = {"kind": "frames", "frames": {"wavs": "w", "faces": "f", "aligned": True}}
    done = examine([config(folder, {"source": frames, "faces": {"detector": "nowhere.onnx"}})], cores=1)
    assert not any(f.subject == "faces.detector" for f in done.findings)


def test_shipped_models_on_real_data_are_warned_of(folder: Path) -> None:
    done = examine([config(folder, TREE)], cores=1)
    for key in ("faces.detector", "visual.model", "audio.checkpoint"):
        assert found(done, key).level == "warning"
        assert "synthetic people" in found(done, key).text


def test_cuda_that_is_not_there_stops(folder: Path, monkeypatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = examine([config(folder, {"device": "cuda"})], cores=1)
    assert "device: cpu" in broken(done, "device, torch").remedy


def test_no_ffmpeg_stops_where_clips_are_made_only(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(folder / "gone"))
    broken(examine([], cores=1), "ffmpeg")
    assert found(examine([config(folder, TREE)], cores=1), "ffmpeg").level == "note"


def test_both_runtimes_together_stop(folder: Path, monkeypatch) -> None:
    real = software.installed
    monkeypatch.setattr(software, "installed", lambda name: "1.20" if name == "onnxruntime-gpu" else real(name))
    finding = broken(examine([], cores=1), "onnxruntime")
    assert "pip uninstall" in finding.remedy


def test_a_package_that_is_missing_or_out_of_range_is_named_with_its_command(folder: Path, monkeypatch) -> None:
    real = software.installed
    fake = {"insightface": "1.0", "av": None}
    monkeypatch.setattr(software, "installed", lambda name: fake[name] if name in fake else real(name))
    done = examine([], cores=1)
    assert found(done, "insightface").level == "warning"
    assert "pip install 'av" in broken(done, "av").remedy


def test_environments_of_conda_bring_what_is_absent_here(folder: Path, monkeypatch) -> None:
    real = software.installed
    monkeypatch.setattr(software, "installed", lambda name: None if name in ("av", "snakemake") else real(name))
    monkeypatch.setenv("PATH", str(folder))
    done = examine([], cores=1, conda=True)
    assert found(done, "av").level == "note"
    broken(done, "snakemake")
    broken(done, "conda")
    (folder / "conda").write_text("#!/bin/sh\n")
    (folder / "conda").chmod(0o755)
    assert found(examine([], cores=1, conda=True), "conda").level == "note"


class Blocked:
    """Refuses to import some packages, as if they were not installed."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize(
    ("package", "modules", "section"),
    [
        (
            "pyarrow",
            ["avsieve.storage.tables", "avsieve.evaluation.trials", "avsieve.lists.layouts", "pyarrow"],
            "lists",
        ),
        ("safetensors", ["avsieve.encoders.checkpoint", "avsieve.encoders.audio", "safetensors"], "audio.arch"),
    ],
)
def test_a_check_whose_package_is_absent_says_so_and_the_rest_is_told(
    folder: Path, monkeypatch, package: str, modules: list[str], section: str
) -> None:
    for name in list(sys.modules):
        if name.startswith(tuple(modules)):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Blocked(package), *sys.meta_path])
    done = examine([], cores=1)
    assert package in broken(done, section).text
    assert found(done, "source").level == "ok"


def test_too_little_room_stops(folder: Path, monkeypatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 10, 1_000_000))
    assert "GB free" in broken(examine([], cores=1), "results").text


def test_a_lock_that_was_left_is_found(folder: Path) -> None:
    (folder / ".snakemake/locks").mkdir(parents=True)
    (folder / ".snakemake/locks/0.input.lock").write_text("x")
    assert "--unlock" in broken(examine([], cores=1), "lock").remedy


def test_lists_that_cannot_be_read_stop(folder: Path) -> None:
    (folder / "clips").mkdir()
    (folder / "train.txt").write_text("id1 id1/vA/00001.wav\nid1 vA 3\n")
    (folder / "trials.txt").write_text("yes id1/vA/1.wav id1/vA/2.wav\n")
    (folder / "meta.csv").write_text("a,b\n1,2\n")
    values = {
        "source": {"kind": "tree", "tree": {"root": "clips", "train_list": "train.txt"}, "truth": "truth.csv"},
        "evaluation": {"trials": "trials.txt", "sex": "meta.csv", "trained_on": ["nowhere.txt"]},
        "cleansing": {"review": "review.csv"},
    }
    done = examine([config(folder, values)], cores=1)
    for subject, file in (
        ("source.tree.train_list", "train.txt"),
        ("evaluation.trials", "trials.txt"),
        ("evaluation.sex", "meta.csv"),
        ("evaluation.trained_on", "nowhere.txt"),
        ("source.truth", "truth.csv"),
        ("cleansing.review", "review.csv"),
    ):
        assert file in broken(done, subject).text


def test_trials_of_people_who_train_stop_before_the_evaluation_does(folder: Path) -> None:
    (folder / "clips/id1/vA").mkdir(parents=True)
    for number in (1, 2):
        (folder / f"clips/id1/vA/0000{number}.mp4").write_bytes(b"x")
    (folder / "split.txt").write_text("1 id1/vA/00001.wav\n2 id1/vA/00002.wav\n3 id8/vA/00001.wav\n")
    (folder / "trials.txt").write_text("1 id1/vA/00001.wav id1/vA/00002.wav\n0 id1/vA/00001.wav id7/vB/00001.wav\n")
    values = {
        "source": {"kind": "tree", "tree": {"root": "clips", "train_list": "split.txt"}},
        "evaluation": {"trials": "trials.txt", "trained_on": ["split.txt"]},
    }
    done = examine([config(folder, values)], cores=1)
    assert any("identification split" in f.text and f.level == "note" for f in done.findings)
    assert "id1" in broken(done, "evaluation.trained_on").text
    refused = [f for f in done.findings if f.subject == "evaluation.trials" and f.level == "error"]
    assert any("fusion.models" in f.remedy for f in refused)
    assert any(f.text == "1 of 2 trials can be scored, all of them target trials" for f in refused)
    assert any("1 of 3 utterances" in f.text and f.level == "warning" for f in done.findings)


def test_each_of_several_trial_lists_is_looked_at_under_its_name(folder: Path) -> None:
    (folder / "sub").mkdir()
    for name, speaker in (("trials.txt", "id1"), ("sub/trials.txt", "id2")):
        (folder / name).write_text(f"1 {speaker}/vA/1.wav {speaker}/vB/1.wav\n0 {speaker}/vA/1.wav id7/vB/1.wav\n")
    (folder / "dev.txt").write_text("id2 id2/vC/1.wav 1.0\n")

    def told(trials: object) -> list[tuple[str, str]]:
        done = examine([config(folder, {"evaluation": {"trials": trials, "trained_on": ["dev.txt"]}})], cores=1)
        return [(f.level, f.text) for f in done.findings if f.subject.startswith("evaluation.tr")]

    named = told({"E": "trials.txt", "H": "sub/trials.txt", "O": "nowhere.txt"})
    assert [text.split(":")[0] for level, text in named if "2 trials, 1 targets" in text] == ["E", "H"]
    assert any(level == "error" and "nowhere.txt" in text for level, text in named)
    seen = [text for level, text in named if "are in its training list" in text]
    assert [text.split(" are in")[0] for text in seen] == [
        "a model trained on dev.txt: 1 of 2 speakers of the trial list H"
    ]
    both = "trials.txt and sub/trials.txt would both be called trials in the results"
    assert any(level == "error" and text.startswith(both) for level, text in told(["trials.txt", "sub/trials.txt"]))


def test_a_trial_list_with_a_hole_is_a_note(folder: Path) -> None:
    lines = [f"{int(k < 18_800)} id{k % 40}/v/{k % 100}.wav id{k % 40}/w/{k % 90}.wav" for k in range(37_609)]
    (folder / "trials.txt").write_text("\n".join(lines))
    done = examine([config(folder, {"evaluation": {"trials": "trials.txt"}})], cores=1)
    told = [f for f in done.findings if f.subject == "evaluation.trials" and "missing" in f.text]
    assert [f.level for f in told] == ["note"]
    assert "Vox1-O cleaned, but 2 of its 37,611" in told[0].text


def test_a_million_utterances_in_four_shards_are_advised_against(folder: Path) -> None:
    done = disk._shards(4, 1_092_009, [])
    assert done[0].level == "warning"
    assert "273" in done[0].remedy


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_configuration_stops_as_it_does_snakemake(folder: Path, monkeypatch, capsys, text: str) -> None:
    (folder / "my.yaml").write_text(text)
    assert status(monkeypatch, "my.yaml") == 1
    assert "my.yaml: holds no key" in capsys.readouterr().err


def clips(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "clips" / name).write_bytes(b"x")
    return folder


GOOD = [f"id{s}/v{v}/{n}.mp4" for s in range(4) for v in range(2) for n in range(2)]


@pytest.mark.parametrize(
    ("more", "level", "wanted"),
    [
        ("$RECYCLE.BIN/S-1-5-21-1/$RABC123.mp4", "ok", "1 of the system"),
        ("id0/v0/1 (1).mp4", "note", "1 with names that no id can have"),
        ("id0/v0/clip#1.mp4", "note", "id0/v0/clip#1 is id0/v0/clip=231"),
        ("Zoë/v0/1.mp4", "note", "Zoë/v0/1 is Zo=C3=AB/v0/1"),
        ("id0/v0/1.webm", "warning", "1 utterance is there twice, as id0/v0/1.mp4 and id0/v0/1.webm"),
        (f"id0/v0/{'x' * 120}.mp4", "ok", "17 utterances"),
        ("id0/v0/3.xyz", "note", "1 .xyz"),
        ("id9/deep/er/still/3.mp4", "warning", "1 clip is passed over"),
    ],
)
def test_odd_files_among_good_ones_stop_neither_the_doctor_nor_the_run(
    folder: Path, more: str, level: str, wanted: str
) -> None:
    clips(folder, *GOOD, more)
    done = examine([config(folder, TREE)], cores=1)
    told = [f for f in done.findings if f.subject == "source.tree.root"]
    assert [f.level for f in told if wanted in f.text] == [level]
    assert not any(f.level == "error" for f in told)
    rows = plan_as_the_run_does(done)
    assert len(rows) >= 16


def plan_as_the_run_does(done: Examination) -> pd.DataFrame:
    source = read_settings([Path("my.yaml")])[0].source.contract
    return source.load("plan")(source.settings)


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ({"root": "clips/id0"}, "no clip at depth 3"),
        ({"root": "."}, "root is 1 level too high: name clips"),
        ({"root": "empty"}, "it holds no file"),
        ({"root": "nowhere"}, "is not a folder"),
        ({"root": "clips", "test_root": "clips"}, "4 speakers are in root too"),
        ({"root": "clips", "test_root": "empty"}, "no clip at depth 3"),
        ({"root": "clips", "audio_root": "nowhere"}, "nowhere is not a folder"),
    ],
)
def test_where_planning_would_stop_so_does_the_doctor(folder: Path, tree: dict[str, str], wanted: str) -> None:
    clips(folder, *GOOD)
    (folder / "empty").mkdir()
    done = examine([config(folder, {"source": {"kind": "tree", "tree": tree}})], cores=1)
    assert [f for f in done.findings if f.level == "error" and wanted in f.text], done.findings
    with pytest.raises(AvsieveError, match=wanted):
        plan_as_the_run_does(done)


def test_a_share_that_fetching_would_not_accept_stops_and_a_smaller_one_does_not(folder: Path) -> None:
    clips(folder, *GOOD, "id0/v0/x.xyz")
    lines = [f"id{n % 4} id{n % 4}/v{n % 2}/{n}.wav 1" for n in range(8)]  # of which the folder has two
    (folder / "l.txt").write_text("\n".join([*lines, "id0 id0/v0/x.wav 1"]))
    values = {"source": {"kind": "tree", "tree": {"root": "clips", "train_list": "l.txt"}}}
    done = examine([config(folder, values)], cores=1)
    assert "about 7 of 9 utterances would fail to be fetched" in broken(done, "max_failed").text
    told = [f.text for f in done.findings if f.subject == "source.tree.root"]
    assert any("6 of 9 listed clips that were looked for: not there" in t for t in told)
    assert any("1 of 9 listed clips that were looked for: there under an ending that is not taken" in t for t in told)
    done = examine([config(folder, values | {"max_failed": 0.8})], cores=1)
    assert not [f for f in done.findings if f.subject == "max_failed"]
