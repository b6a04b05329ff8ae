from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from avsieve import __version__
from avsieve.storage.provenance import sha256_of, versions, write_provenance


def test_versions_are_those_installed_and_absent_packages_are_told() -> None:
    assert versions("numpy", "no-such-package") == {
        "avsieve": __version__,
        "numpy": np.__version__,
        "no-such-package": "absent",
    }


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_equal_work_leaves_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        write_provenance(tmp_path / name, stage="embed_audio", packages=["numpy"], device="cpu", arch="ecapa1024")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "stage": "embed_audio",
        "versions": versions("numpy"),
        "device": "cpu",
        "arch": "ecapa1024",
    }
