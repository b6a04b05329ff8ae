from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from avsieve.errors import AvsieveError
from avsieve.wiring import trial_run
from avsieve.wiring.trial_run import checkout, run_real, snakemake

FOLDERS = ("speech_train", "faces", "voices")
MODELS = ("scrfd_500m_kps.onnx", "mobilefacenet.onnx")


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a folder as `run_real` wants it; the corpus that it makes is a list of what was asked for."""
    folder = tmp_path / "real"
    for name in (*FOLDERS, "models"):
        (folder / name).mkdir(parents=True)
    for name in MODELS:
        (folder / "models" / name).write_text("weights")
    (folder / "speech_train" / "p1-c1-0001.flac").write_text("sound")
    (folder / "make_corpus.py").write_text(
        "import pathlib, sys\n"
        "folder = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
        "folder.mkdir()\n"
        "(folder / 'truth.csv').write_text(' '.join(sys.argv[1:]))\n"
    )
    return folder


def call(real: Path, work: Path) -> None:
    folders = {name: real / name for name in ("faces", "voices")}
    run_real(Path("checkout"), real, work, folders, noise=0.1, seed=3, cores=2)


def test_the_checkout_is_the_one_that_the_library_lies_in(repository: Path) -> None:
    assert checkout() == repository


def test_a_library_without_its_workflow_says_what_to_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_run, "__file__", str(tmp_path / "a/b/c/d/trial_run.py"))
    with pytest.raises(AvsieveError, match=r"no workflow at .*; clone the repository"):
        checkout()


def test_a_run_that_fails_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(AvsieveError, match=r"the workflow stopped in .*; the failed rule and its log are named above"):
        snakemake(tmp_path / "no checkout", tmp_path, ["all"], 1)


def test_everything_that_is_missing_is_named_at_once(real: Path, tmp_path: Path) -> None:
    (real / "models" / MODELS[0]).unlink()
    (real / "faces").rmdir()
    with pytest.raises(AvsieveError) as error:
        call(real, tmp_path / "work")
    assert "faces" in str(error.value)
    assert MODELS[0] in str(error.value)
    assert MODELS[1] not in str(error.value)


def test_recordings_must_be_named_by_speaker_chapter_and_number(real: Path, tmp_path: Path) -> None:
    (real / "speech_train" / "someone.flac").write_text("sound")
    with pytest.raises(AvsieveError, match=r"someone\.flac: expected a name like SPEAKER-CHAPTER-NUMBER\.flac"):
        call(real, tmp_path / "work")


def test_the_encoder_the_corpus_and_the_clips_are_run_one_after_the_other(
    real: Path, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (real / "video").mkdir()
    (real / "video" / "someone.mp4").write_text("clip")
    asked: list[tuple[str, list[str], dict]] = []

    def note(root: Path, directory: Path, targets: list[str], cores: int, config: Path) -> None:
        asked.append((directory.name, targets, yaml.safe_load(config.read_text(encoding="utf-8"))))

    monkeypatch.setattr(trial_run, "snakemake", note)
    monkeypatch.setattr(trial_run, "_tell", lambda work, clips: None)
    work = tmp_path / "work"
    folders = {name: real / name for name in ("faces", "voices")}
    run_real(repository, real, work, folders, noise=0.1, seed=3, cores=2)
    assert [name for name, _, _ in asked] == ["encoder", "run", "clips"]
    assert [targets for _, targets, _ in asked] == [["results/models/audio/all.safetensors"], ["all"], ["align"]]
    assert asked[1][2]["source"]["truth"] == "../corpus-3-0.1/truth.csv"
    assert asked[2][2]["source"] == {"kind": "tree", "tree": {"root": "../video"}}
    assert (work / "speech/p1/c1/0001.flac").resolve() == real / "speech_train/p1-c1-0001.flac"
    assert (work / "video/someone/clip/00001.mp4").resolve() == real / "video/someone.mp4"
    assert "--noise 0.1 --seed 3" in (work / "corpus-3-0.1/truth.csv").read_text()
    assert os.path.lexists(work / "models" / MODELS[1])
