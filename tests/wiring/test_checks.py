from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.wiring import checks as workflow_checks
from avsieve.wiring.checks import has_gpu, need_conda, need_gpu, need_source


def test_without_conda_one_line_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no conda on PATH; install Miniforge .* or leave --use-conda out"):
        need_conda()
    (tmp_path / "conda").write_text("#!/bin/sh\n")
    (tmp_path / "conda").chmod(0o755)
    need_conda()


def test_cuda_without_a_gpu_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not has_gpu()
    need_gpu(parse_config({"device": "auto"}))
    with pytest.raises(ConfigError, match="device is cuda, but this machine has no GPU"):
        need_gpu(parse_config({"device": "cuda"}))
    monkeypatch.setattr(workflow_checks, "has_gpu", lambda: True)
    need_gpu(parse_config({"device": "cuda"}))


@pytest.mark.parametrize(
    ("kind", "settings", "missing"),
    [
        ("tree", {"root": "here", "test_root": "gone"}, "source.tree.test_root: gone is not there"),
        ("tree", {"root": "file"}, "source.tree.root: file is not a folder"),
        ("voxceleb", {"tracks": "gone"}, "source.voxceleb.tracks"),
        ("frames", {"wavs": "here", "faces": "gone"}, "source.frames.faces"),
        ("archive", {"video": ["file", "gone*.zip"]}, r"source.archive.video: nothing matches gone\*.zip"),
    ],
)
def test_a_source_that_is_not_there_is_named_with_its_key(
    tmp_path: Path, monkeypatch, kind: str, settings: dict, missing: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=missing):
        need_source(parse_config({"source": {"kind": kind, kind: settings}}))
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone1.zip").touch()
    if "not a folder" not in missing:
        need_source(parse_config({"source": {"kind": kind, kind: settings}}))


def test_the_embedded_corpus_needs_nothing() -> None:
    need_source(parse_config({}))
