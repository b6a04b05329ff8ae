"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Workers of pytest-xdist share the cores. Threads of BLAS and OpenMP wait for each other by turning in circles: of two
# workers with two threads each, matrices as small as those of the tests take ten times as long. NumPy, SciPy and torch
# read this when they are loaded, and so do the commands that tests start.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module", autouse=True)
def no_guards_are_left() -> Iterator[None]:
    """End processes that decode clips: they hold the pipes of a browser open, which would wait for that for ever."""
    yield
    if (isolated := sys.modules.get("avsieve.media.isolated")) is not None:
        isolated.end_guards()


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_dir() -> Path:
    """Return the folder of real faces, voices, clips and models; tests that ask for it skip where it is absent."""
    folder = Path(os.environ.get("AVSIEVE_REAL", ROOT.parent / "shared" / "real"))
    if not (folder / "models").is_dir():
        pytest.skip(f"no real faces and voices at {folder}; AVSIEVE_REAL names another place")
    return folder
