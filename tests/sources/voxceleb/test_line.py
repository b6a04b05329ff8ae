"""The source in the workflow: from track files as far as frames and wavs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.media.ffmpeg import write_clip
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.wav import wav_bytes

from .conftest import StandIn, write_track

pytest.importorskip("yt_dlp")
pytestmark = pytest.mark.slow

CONFIG = """\
source:
  kind: voxceleb
  voxceleb: {{tracks: txt, url: "{url}", store: kept, size: 96, sleep_s: 0, format: b, private_addresses: true}}
shards: 1
max_failed: 0.5
evaluation: {{holdout: 0}}
"""


def test_the_workflow_fetches_and_decodes_what_it_fetched(repository: Path, tmp_path: Path, site: StandIn) -> None:
    (tmp_path / "s.wav").write_bytes(wav_bytes((3000 * np.sin(np.arange(32_000) / 5)).astype(np.int16)))
    write_clip(tmp_path / "v.mp4", [np.full((96, 96, 3), 100, np.uint8)] * 50, tmp_path / "s.wav", size=96)
    site.videos["alive"] = (tmp_path / "v.mp4").read_bytes()
    for name in ("id1/alive/00001", "id1/alive/00002", "id2/dead/00001"):
        write_track(tmp_path / f"txt/{name}.txt", np.tile([0.2, 0.2, 0.5, 0.5], (30, 1)), 5, shares=True)
    (tmp_path / "c.yaml").write_text(CONFIG.format(url=site.url))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "workflow/Snakefile")]
    command += ["--directory", str(tmp_path), "--configfile", str(tmp_path / "c.yaml"), "--cores", "1"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    done = subprocess.run([*command, "--", "extract"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    status = pd.read_parquet(tmp_path / "results/media/000.status.parquet").set_index("utterance")["code"]
    assert status.to_dict() == {"id1/alive/00001": "ok", "id1/alive/00002": "ok", "id2/dead/00001": "video_removed"}
    with TarReader(tmp_path / "results/extract/000.frames.tar") as frames:
        assert frames.utterances == ["id1/alive/00001", "id1/alive/00002"]
    assert "coverage: 2 of 3 utterances there" in (tmp_path / "results/logs/fetch_media/000.log").read_text()
