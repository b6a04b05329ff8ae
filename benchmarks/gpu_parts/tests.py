"""Run the tests that are marked `gpu`, in the modules that have any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gpu_parts.part import Facts, Part

ROOT = Path(__file__).resolve().parents[2]
MARK = "@pytest.mark.gpu"


def measure(part: Part) -> None:
    """Run them and note how each one ended; a module that cannot be imported here is an error of its own."""
    files = sorted(p for p in (ROOT / "tests").rglob("test_*.py") if MARK in p.read_text())
    if part.dry:
        files = [p for p in files if p.name == "test_devices.py"]
    part.case(lambda: run(files, part), "pytest -m gpu")


def run(files: list[Path], part: Part) -> Facts:
    """Run the tests of ``files``; on a GPU it is an error if none passes."""
    junit = part.work / "junit.xml"
    command = [
        sys.executable, "-m", "pytest", "-q", "-m", "gpu", "--continue-on-collection-errors", "-p", "no:cacheprovider",
        f"--junitxml={junit}", *map(str, files),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=max(1.0, part.left_s())
    )
    if not junit.exists():
        raise RuntimeError(f"pytest ended with status {done.returncode}: {(done.stdout + done.stderr)[-500:]}")
    facts = told(junit.read_text())
    if facts["failed"] or (part.device == "cuda" and not facts["passed"]):
        facts["error"] = f"{len(facts['failed'])} failed, {len(facts['passed'])} passed: {done.stdout[-500:]}"
    return facts


def told(junit: str) -> dict[str, Any]:
    """Return the names of the tests in pytest's XML by how they ended, those that were not passed with why."""
    found: dict[str, Any] = {"passed": [], "failed": {}, "skipped": {}, "not_imported": {}}
    for case in ElementTree.fromstring(junit).iter("testcase"):  # noqa: S314 - pytest has just written it
        name = f"{case.get('classname')}::{case.get('name')}".removeprefix("::")
        ends = {child.tag: child for child in case}
        if "skipped" in ends:
            found["skipped"][name] = ends["skipped"].get("message")
        elif (bad := ends.get("failure", ends.get("error"))) is not None:
            text = (bad.text or bad.get("message") or "").strip().splitlines()
            kind = "not_imported" if bad.get("message") == "collection failure" else "failed"
            found[kind][name] = text[-1] if text else bad.get("message")
        else:
            found["passed"].append(name)
    return found
