from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.runtime import scratch
from avsieve.runtime.scratch import SPARE, file_system, scratch_folder


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fake a node whose own disk, `$TMPDIR`, has 100 bytes free."""
    folder = tmp_path / "local"
    folder.mkdir()
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(folder))
    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda path: scratch.shutil._ntuple_diskusage(200, 100, 100))
    monkeypatch.setattr(scratch, "MOUNTS", tmp_path / "mounts")
    (tmp_path / "mounts").write_text(f"/dev/sda / ext4 rw 0 0\n/dev/sdb {folder.resolve()} xfs rw 0 0\n")
    return folder


def test_scratch_lies_on_the_nodes_own_disk_while_there_is_room_to_spare(local: Path, tmp_path: Path) -> None:
    beside = tmp_path / "results" / "models"
    assert scratch_folder(beside, 100 // SPARE) == local
    assert not beside.exists()
    assert scratch_folder(beside, 100 // SPARE + 1) == beside
    assert beside.is_dir()


def test_a_disk_in_memory_is_none(local: Path, tmp_path: Path) -> None:
    assert file_system(local) == "xfs"
    scratch.MOUNTS.write_text(scratch.MOUNTS.read_text().replace("xfs", "tmpfs"))
    assert file_system(local) == "tmpfs"
    assert scratch_folder(tmp_path, 1) == tmp_path
