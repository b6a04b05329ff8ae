"""Results in a folder that jobs do not work in (`workflow/profiles/fs`), with the plug-in for storage itself."""

from __future__ import annotations

import os
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from avsieve.config.model import parse_config
from avsieve.storage import paths as P
from avsieve.wiring.flags import flags

pytest.importorskip("snakemake_storage_plugin_fs")
pytestmark = pytest.mark.slow  # Snakemake starts, and a training loads torch

TRAINING = {"visual": {"steps": 4, "batch": 4, "augment": False}}
CONFIG = {
    "source": {"kind": "tree", "tree": {"root": "clips", "train_list": "list.txt"}},
    "shards": 1,
    "device": "cpu",
    "training": TRAINING,
}
LIST = "".join(f"id{n} id{n}/v{k}/1.wav 1.0\n" for n in range(3) for k in range(2))
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Return the folders where Snakemake runs, where results lie, and where jobs have their copies of them."""
    found = {name: tmp_path / name for name in ("work", "results_disk", "local_disk")}
    for folder in found.values():
        folder.mkdir()
    (found["work"] / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    (found["work"] / "list.txt").write_text(LIST)
    (found["work"] / "clips").mkdir()
    disk = found["results_disk"]
    return found | {"copies": found["local_disk"] / "avsieve-storage" / "fs" / disk.relative_to("/")}


@pytest.fixture
def run(repository: Path, folders: dict[str, Path]) -> Run:
    """Return what runs the workflow as docs/clusters.md says."""
    workflow = repository / "workflow"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(workflow / "Snakefile"), "--cores", "2"]
    command += ["--directory", str(folders["work"]), "--configfile", str(folders["work"] / "my.yaml")]
    command += ["--workflow-profile", str(workflow / "profiles" / "fs")]
    command += ["--default-storage-prefix", str(folders["results_disk"])]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"TMPDIR": str(folders["local_disk"])}

    def snakemake(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, env=environment)

    return snakemake


def test_results_are_carried_to_their_disk_and_what_lies_beside_them_stays(run: Run, folders: dict[str, Path]) -> None:
    target = P.of(P.media.index, shard="000")
    failed = run("--retries", "1", "--", target)
    assert failed.returncode
    assert "Trying to restart job" in failed.stdout + failed.stderr
    assert (folders["results_disk"] / P.plan.utterances).is_file()
    # Undeclared, so it is not carried; it is there for the next attempt and for the next run.
    note = folders["copies"] / P.plan.note
    assert note.is_file()
    for line in LIST.splitlines():
        clip = folders["work"] / "clips" / f"{line.split()[1].removesuffix('.wav')}.mp4"
        clip.parent.mkdir(parents=True)
        clip.write_bytes(b"x")
    before = note.stat().st_mtime_ns
    done = run("--", target)
    assert done.returncode == 0, done.stderr
    assert (folders["results_disk"] / target).is_file()
    assert not (folders["work"] / P.RESULTS).exists()
    assert note.stat().st_mtime_ns == before  # planned once


def leave_state(repository: Path, data: Path, output: Path, patch: pytest.MonkeyPatch) -> None:
    """Train as the rule does, until a state is left behind, and no further."""
    from avsieve.training import loop

    save, script = loop.save_state, repository / "workflow" / "scripts" / "train_visual.py"

    def save_and_stop(*given: object) -> None:
        save(*given)
        raise KeyboardInterrupt

    settings = parse_config({"training": TRAINING}).training.visual
    words = f"--list {data / 'list.txt'} --faces {data / 'faces.tar'} {flags(settings)}"
    words += " --device cpu --devices 1 --precision fp32 --workers 0 --threads 2 --log-every 1 --checkpoint-every 2"
    words += f" --output {output} --log {data / 'log.csv'} --provenance {data / 'provenance.json'}"
    output.parent.mkdir(parents=True)
    with patch.context() as context:
        context.setattr(loop, "save_state", save_and_stop)
        context.setattr(sys, "argv", [str(script), *shlex.split(words)])
        with pytest.raises((SystemExit, KeyboardInterrupt)):
            runpy.run_path(str(script), run_name="__main__")


def test_a_training_goes_on_from_the_state_that_lies_beside_its_copy(
    run: Run, folders: dict[str, Path], repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2
    import numpy as np

    from avsieve.storage.indexed_tar import TarWriter

    names = {
        "list.txt": P.lists.all,
        "faces.tar": P.of(P.align.faces, shard="000"),
        "faces.parquet": P.of(P.align.faces_index, shard="000"),
    }
    face = cv2.imencode(".jpg", np.full((112, 112, 3), 90, np.uint8))[1].tobytes()
    with TarWriter(tmp_path / "faces.tar") as tar:
        for line in LIST.splitlines():
            utterance = line.split()[1].removesuffix(".wav")
            tar.add(utterance, f"{utterance}/0010.jpg", face)
    (tmp_path / "list.txt").write_text(LIST)
    for name, place in names.items():
        path = folders["results_disk"] / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((tmp_path / name).read_bytes())
    model = P.of(P.models.encoder, modality="visual", list="all")
    copy = folders["copies"] / model
    leave_state(repository, tmp_path, copy, monkeypatch)
    state = copy.with_name(f"{copy.name}.resume")
    assert state.is_file()
    done = run("--allowed-rules", "train_visual", "--", model)
    assert done.returncode == 0, done.stderr
    log = (folders["results_disk"] / P.log("train_visual", "{list}").format(list="all")).read_text()
    assert f"resuming {state} at step 2 of 4" in log
    assert (folders["results_disk"] / model).is_file()
    assert not state.exists()
