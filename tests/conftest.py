"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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
