"""An extraction that is killed is taken up where it stopped, and gives the bytes of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from avsieve.media import extract
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.storage.tables import write_table

SETTINGS = {"interval_s": 0.4, "jpeg_quality": 90, "min_audio_s": 0.5}
MARK = "AVSIEVE_KILLED_EXTRACTION"
CHILD = """
import sys
from pathlib import Path
import pandas as pd
from avsieve.media.extract import extract_shard
root, out, workers = sys.argv[1:]
if __name__ == "__main__":
    extract_shard(pd.read_parquet(Path(out) / "index.parquet"), {"train": Path(root)}, workers=int(workers),
                  frames_tar=Path(out) / "000.frames.tar", wav_tar=Path(out) / "000.wav.tar",
                  interval_s=0.4, jpeg_quality=90, min_audio_s=0.5)
"""


@pytest.fixture
def index(clips: Path) -> pd.DataFrame:
    (clips / "broken.mp4").write_text("no clip")
    names = ["broken.mp4" if i % 9 == 4 else "plain.mp4" for i in range(48)]
    return media_table(IndexedClip(f"a/v/{i:05d}", "train", Place(n, 0, 1)) for i, n in enumerate(names)).assign(
        size=[(clips / n).stat().st_size for n in names]
    )


def run(clips: Path, out: Path, index: pd.DataFrame) -> pd.DataFrame:
    return extract.extract_shard(
        index, {"train": clips}, frames_tar=out / "000.frames.tar", wav_tar=out / "000.wav.tar", **SETTINGS
    ).frame()


def kill_after(lines: int, clips: Path, out: Path, index: pd.DataFrame, workers: int) -> int:
    """Run an extraction in a process of its own and kill it; return how many clips it had finished."""
    out.mkdir()
    write_table(out / "index.parquet", index)
    (out / "child.py").write_text(CHILD)
    journal = out / "000.frames.tar.partial.jsonl"
    environment = {**os.environ, MARK: str(out), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    child = subprocess.Popen([sys.executable, out / "child.py", clips, out, str(workers)], env=environment)
    while child.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > lines):
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    return journal.read_bytes().count(b"\n") - 1


def left_over(out: Path) -> list[int]:
    """Return the processes that belong to an extraction."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"{MARK}={out}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # gone, or another user's
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_extraction_goes_on_where_it_stopped(
    clips: Path, index: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    expected = run(clips, tmp_path / "whole", index)
    done = kill_after(6, clips, tmp_path / "killed", index, workers)
    assert 6 <= done < len(index)
    assert not (tmp_path / "killed" / "000.frames.tar").exists()
    decoded = []
    decoded_by = extract.decoded_by

    def counted(*work: object, **settings: object) -> object:
        decoded.append(work)
        return decoded_by(*work, **settings)

    monkeypatch.setattr(extract, "decoded_by", counted)
    found = run(clips, tmp_path / "killed", index)
    assert len(decoded) == len(index) - done
    pd.testing.assert_frame_equal(found, expected)
    for path in sorted((tmp_path / "whole").iterdir()):
        assert path.read_bytes() == (tmp_path / "killed" / path.name).read_bytes()
    assert not list((tmp_path / "killed").glob("*.partial*"))
    deadline = time.monotonic() + 10
    while left_over(tmp_path / "killed") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_over(tmp_path / "killed")


def test_what_was_torn_or_is_out_of_date_is_done_again(clips: Path, index: pd.DataFrame, tmp_path: Path) -> None:
    expected = run(clips, tmp_path / "whole", index)
    whole = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    kill_after(8, clips, tmp_path / "killed", index, 1)
    partial = tmp_path / "killed" / "000.wav.tar.partial"
    content = bytearray(partial.read_bytes())
    content[len(content) // 2] ^= 1  # a block that never reached the disk
    partial.write_bytes(content)
    pd.testing.assert_frame_equal(run(clips, tmp_path / "killed", index), expected)
    assert {name: (tmp_path / "killed" / name).read_bytes() for name in whole} == whole

    kill_after(8, clips, tmp_path / "changed", index, 1)
    (clips / "broken.mp4").write_text("still no clip")  # the files are others than those that the journal tells of
    index = index.assign(size=[(clips / name).stat().st_size for name in index["path"]])
    status = run(clips, tmp_path / "changed", index)
    assert status["n_frames"].tolist() == expected["n_frames"].tolist()
