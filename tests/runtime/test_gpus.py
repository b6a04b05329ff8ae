"""GPUs are told by their names alone, so these tests need none: what CUDA would see is what the environment says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError, ModelError
from avsieve.runtime import gpus
from avsieve.runtime.gpus import LEASED, VISIBLE, own_gpus, visible_gpus

# A job: it says what it was given, and holds it until it is told to end, or is killed.
JOB = """
import os, sys
from avsieve.runtime.gpus import own_gpus
own_gpus("cuda", int(sys.argv[1]))
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def four_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Fake a machine with four GPUs, outside any scheduler; give back what the test has leased."""
    for name in (LEASED, *gpus.SCHEDULED):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(gpus.tempfile, "tempdir", None)
    monkeypatch.setenv(VISIBLE, "0,1,2,3")
    held = list[object]()
    monkeypatch.setattr(gpus, "_held", held)
    yield
    for lock in held:
        lock.close()  # type: ignore[attr-defined]
    os.environ.pop(LEASED, None)


class Jobs:
    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def begin(self, count: int = 1, **environment: str) -> None:
        self.running.append(
            subprocess.Popen(
                [sys.executable, "-c", JOB, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | environment, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def given(self) -> list[str]:
        """Return what the jobs that were begun since were given, in their order."""
        assert all(job.stdout for job in self.running)
        return [job.stdout.readline().strip() for job in self.running]  # type: ignore[union-attr]


@pytest.fixture
def jobs():
    own = Jobs()
    yield own
    for job in own.running:
        job.kill()
        job.communicate()


def test_four_jobs_have_four_gpus_and_one_that_was_killed_gives_its_gpu_back(jobs: Jobs) -> None:
    for _ in range(4):
        jobs.begin()
    given = jobs.given()
    assert sorted(given) == ["0", "1", "2", "3"]
    killed = jobs.running[2]
    killed.kill()
    killed.wait()
    own_gpus("cuda")
    assert os.environ[VISIBLE] == given[2]


def test_more_jobs_than_gpus_share_those_with_the_fewest(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    given = []
    for _ in range(6):
        monkeypatch.setenv(VISIBLE, "0,1,2,3")
        monkeypatch.delenv(LEASED, raising=False)
        own_gpus("auto")
        given.append(os.environ[VISIBLE])
    assert given == ["0", "1", "2", "3", "0", "1"]
    assert caplog.text.count("shared with 1 other") == 2


def test_a_job_with_two_gpus_has_two_and_its_processes_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_gpus("cuda", 2) == "cuda"
    assert os.environ[VISIBLE] == "0,1"
    assert own_gpus("cuda", 2) == "cuda"  # as in a process that it has started
    assert os.environ[VISIBLE] == "0,1"
    monkeypatch.setenv(VISIBLE, "0,1,2,3")
    monkeypatch.delenv(LEASED)
    own_gpus("cuda", 2)
    assert os.environ[VISIBLE] == "2,3"


def test_a_gpu_by_its_number_is_that_one_of_those_that_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "GPU-a,GPU-b")
    with pytest.raises(ModelError, match=r"there are 2 GPUs here \(GPU-a, GPU-b\); expected cuda:0 to cuda:1"):
        own_gpus("cuda:2")
    assert own_gpus("cuda:1") == "cuda"
    assert os.environ[VISIBLE] == "GPU-b"


@pytest.mark.parametrize(("visible", "device"), [("2", "cuda"), ("", "auto"), ("0,1,2,3", "cpu")])
def test_where_there_is_no_choice_nothing_changes(monkeypatch, tmp_path: Path, visible: str, device: str) -> None:
    monkeypatch.setenv(VISIBLE, visible)
    assert own_gpus(device) == device
    assert os.environ[VISIBLE] == visible
    assert list(tmp_path.iterdir()) == []


def test_jobs_of_a_scheduler_do_not_take_gpus_of_the_same_number_for_the_same(jobs: Jobs) -> None:
    # Slurm numbers the GPUs of each job from 0 where it hides the others.
    for job in ("7", "8"):
        jobs.begin(1, SLURM_JOB_ID=job, CUDA_VISIBLE_DEVICES="0,1")
    assert jobs.given() == ["0", "0"]


@pytest.mark.parametrize(
    ("visible", "names"),
    [("0,1", ["0", "1"]), ("1, 0 ,-1,3", ["1", "0"]), ("", []), ("-1", []), ("NoDevFiles", []), ("2,2", ["2"])],
)
def test_what_is_visible_is_read_as_cuda_reads_it(monkeypatch, visible: str, names: list[str]) -> None:
    monkeypatch.setenv(VISIBLE, visible)
    assert visible_gpus() == names


def test_without_the_variable_the_driver_names_the_gpus_and_parts_of_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(VISIBLE)
    listed = (
        "GPU 0: NVIDIA A100 (UUID: GPU-1)\nGPU 1: NVIDIA A100 (UUID: GPU-2)\n"
        "  MIG 3g.20gb     Device  0: (UUID: MIG-a)\n  MIG 3g.20gb     Device  1: (UUID: MIG-b)\n"
    )
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = -L ] && printf '{listed}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert visible_gpus() == ["GPU-1", "MIG-a", "MIG-b"]
    program.unlink()
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "driver" / name).mkdir(parents=True)
    monkeypatch.setattr(gpus, "DRIVER", tmp_path / "driver")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == ["0", "1"]


def test_a_folder_of_locks_that_is_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"avsieve-gpus-{os.getuid()}").symlink_to("elsewhere")
    with pytest.raises(AvsieveError, match="belongs to somebody else; set TMPDIR"):
        own_gpus("cuda")


def test_every_script_that_takes_a_device_takes_gpus_of_its_own_first(repository: Path) -> None:
    found = {}
    for path in sorted((repository / "workflow" / "scripts").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if '"--device"' in text or "add_face_options" in text or "run_of" in text:
            calls = [ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
            found[path.stem] = sum("own_gpus(args.device" in call or "run_of(args)" in call for call in calls)
    assert {"align_faces", "embed_audio", "train_fusion", "train_visual"} <= set(found)
    assert [name for name, calls in found.items() if not calls] == []
    options = (repository / "src/avsieve/training/encoder/options.py").read_text(encoding="utf-8")
    before, _, _ = options.partition("    import torch\n")
    assert "args.device = own_gpus(args.device, args.devices)" in before
