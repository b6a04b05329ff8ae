"""`benchmarks/gpu.sh` where there is no GPU: its dry run, and what becomes of parts that fail."""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

SMALL = ("ecapa_small", "mobileface_small")
# Each fails in its own way after a first case that is worth keeping.
FAILING = {
    "raising": "part.case(lambda: 1 / 0, 'bad'); part.case(lambda: {'n': 2}, 'after')",
    "outside": "raise LookupError('nothing there')",
    "hanging": "import time; time.sleep(60)",
    "crashing": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "late": "import time; time.sleep(0.4); part.case(lambda: {'n': 2}, 'net', 'fp16')",
}


@pytest.fixture
def benchmarks(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the modules of `benchmarks/` importable, and forget them again."""
    folder = repository / "benchmarks"
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def runner(benchmarks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The runner, with parts that fail."""
    package = importlib.import_module("gpu_parts")
    (tmp_path / "parts").mkdir()
    for name, body in FAILING.items():
        (tmp_path / "parts" / f"{name}.py").write_text(
            "def measure(part):\n    part.case(lambda: {'n': 1}, 'first')\n    " + body + "\n"
        )
    own: ModuleType = importlib.import_module("gpu_parts.runner")
    # Forked, not from a server: the path of the parts lives in this process alone.
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "parts")])
    monkeypatch.setattr(own, "METHOD", "fork")
    return own


def run(runner: ModuleType, name: str, **given: Any) -> dict[str, Any]:
    settings = {"device": "cpu", "dry": True, "budget_s": 30.0, "grace_s": 0.0} | given
    found: dict[str, Any] = runner.run_part(name, **settings)
    return found


def test_the_dry_run_measures_every_part(benchmarks: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main = importlib.import_module("gpu_parts.__main__").main
    out = tmp_path / "new" / "gpu.json"
    status = main(["--dry-run", "--skip", "tests", "--out", str(out), "--networks", *SMALL])
    report = json.loads(out.read_text())
    parts = report["parts"]
    assert status == 0, capfd.readouterr().out
    assert {name: part["status"] for name, part in parts.items()} == {
        "tests": "skipped", "embedding": "ok", "training": "ok", "joint": "ok", "nccl": "ok", "fusion": "ok",
        "vox1e": "ok",
    }  # fmt: skip
    assert report["dry_run"]
    assert report["machine"]["versions"]["torch"] == torch.__version__
    for arch in SMALL:
        assert 0 < parts["embedding"]["results"][arch]["fp32"]["share_of_forward_only"] < 2
        assert parts["training"]["results"][arch]["fp32"]["steps_per_s"] > 0
    for name in ("vut_video_frames", "avn_j"):
        assert parts["joint"]["results"][name]["fp32"]["steps_per_s"] > 0
    assert parts["nccl"]["results"]["ddp"]["backend"] == "gloo"
    assert parts["nccl"]["results"]["losses"]["largest_relative_difference"] < 1e-3
    assert parts["fusion"]["results"]["gated"]["steps_per_s"] > 0
    assert parts["vox1e"]["results"]["scored"]["trials"] == 2000


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_nothing_is_measured_on_something_else(
    benchmarks: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main = importlib.import_module("gpu_parts.__main__").main
    assert main(["--out", str(tmp_path / "gpu.json")]) == 2
    assert "device 'cuda': not available" in capfd.readouterr().err
    assert not (tmp_path / "gpu.json").exists()


def test_a_case_that_fails_leaves_the_others(runner: ModuleType) -> None:
    found = run(runner, "raising")
    assert found["status"] == "failed"
    assert found["results"]["bad"]["error"] == "ZeroDivisionError: division by zero"
    assert [found["results"][name]["n"] for name in ("first", "after")] == [1, 2]


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("outside", "failed", "LookupError: nothing there"),
        ("absent", "failed", "ModuleNotFoundError: No module named 'gpu_parts.absent'"),
        ("crashing", "crashed", "the process ended with status -9"),
        ("hanging", "ended", "not done after 1 s; what was found is kept"),
    ],
)
def test_a_part_that_breaks_says_how_and_keeps_what_it_found(
    runner: ModuleType, name: str, status: str, error: str
) -> None:
    found = run(runner, name, budget_s=1.0 if name == "hanging" else 30.0)
    assert (found["status"], found["error"]) == (status, error)
    assert found["results"].get("first", {}).get("n") == (None if name == "absent" else 1)


def test_cases_without_time_left_are_named(runner: ModuleType) -> None:
    found = run(runner, "late", budget_s=0.3, grace_s=30.0)
    part = importlib.import_module("gpu_parts.part")
    assert found["status"] == "ok"
    assert part.not_run(found["results"]) == ["net fp16"]


def test_gpu_tests_are_told_by_how_they_ended(benchmarks: Path, tmp_path: Path) -> None:
    parts = importlib.import_module("gpu_parts.part")
    tests = importlib.import_module("gpu_parts.tests")
    good, bad = tmp_path / "test_good.py", tmp_path / "test_bad.py"
    good.write_text(
        "import pytest\npytestmark = pytest.mark.gpu\n"
        "def test_passes(): pass\ndef test_fails(): assert 1 == 2\ndef test_skips(): pytest.skip('no CUDA')\n"
    )
    bad.write_text("import no_such_package\n")
    part = parts.Part("tests", "cuda", False, 60.0, tmp_path / "out.json", tmp_path)
    found = tests.run([good, bad], part)
    assert found["passed"] == ["test_good::test_passes"]
    assert list(found["failed"]) == ["test_good::test_fails"]
    assert found["skipped"] == {"test_good::test_skips": "no CUDA"}
    assert "no_such_package" in found["not_imported"]["test_bad"]
    assert found["error"].startswith("1 failed, 1 passed")


def test_on_a_gpu_no_test_that_ran_is_an_error(benchmarks: Path, tmp_path: Path) -> None:
    parts, tests = importlib.import_module("gpu_parts.part"), importlib.import_module("gpu_parts.tests")
    skipped = tmp_path / "test_skipped.py"
    skipped.write_text("import pytest\n@pytest.mark.gpu\ndef test_skips(): pytest.skip('no CUDA')\n")
    part = parts.Part("tests", "cuda", False, 60.0, tmp_path / "out.json", tmp_path)
    assert tests.run([skipped], part)["error"].startswith("0 failed, 0 passed")


def test_networks_that_a_part_does_not_measure_are_an_error(benchmarks: Path, tmp_path: Path) -> None:
    parts = importlib.import_module("gpu_parts.part")
    part = parts.Part("training", "cpu", True, 60.0, tmp_path / "out.json", tmp_path, networks=("ecapa", "iresnet18"))
    assert part.chosen(["ecapa1024", "iresnet18"]) == ["iresnet18"]
    with pytest.raises(ValueError, match="none of the networks ecapa, iresnet18 is measured; expected some of rawnet2"):
        part.chosen(["rawnet2"])


def _no_nvml() -> int:
    raise ModuleNotFoundError("no nvidia-ml-py")


@pytest.mark.parametrize(
    ("device", "tells", "facts"),
    [
        ("cuda", lambda: 40, {"gpu_busy_percent": 40}),
        (
            "cuda",
            _no_nvml,
            {"gpu_busy_percent": None, "gpu_busy_unknown": "no nvidia-ml-py"},
        ),
        ("cpu", lambda: 40, {"gpu_busy_percent": None, "gpu_busy_unknown": "no GPU"}),
    ],
)
def test_how_busy_the_gpu_is_or_why_nobody_knows(
    benchmarks: Path, monkeypatch: pytest.MonkeyPatch, device: str, tells: Callable[[], int], facts: dict[str, Any]
) -> None:
    training = importlib.import_module("gpu_parts.training")
    told = threading.Event()

    def utilization() -> int:
        told.set()
        return tells()

    monkeypatch.setattr(torch.cuda, "utilization", utilization)
    with training.Busy(device) as busy:
        assert device == "cpu" or told.wait(10)
    assert busy.facts() == facts


def test_the_command_is_there_to_be_run(benchmarks: Path) -> None:
    assert os.access(benchmarks / "gpu.sh", os.X_OK)
