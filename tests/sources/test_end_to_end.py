"""Each source through the scripts, with the flags that the rules give them: its frames and wavs are those of a tree."""

from __future__ import annotations

import os
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avsieve.config.model import Config
from avsieve.config.source import Source
from avsieve.media.ffmpeg import ffmpeg_binary, write_clip
from avsieve.sources.watch_list import tell_changes
from avsieve.storage.tables import read_table
from avsieve.storage.wav import wav_bytes
from avsieve.wiring.flags import flags
from avsieve.wiring.source import SourceWiring
from tests.sources.archive.test_archive import make_tar, make_zip, split

from .faulty_server import FaultyServer, Reply

UTTERANCES = ["id1/vA/00001", "id1/vB/00001", "id2/vC/00001"]


class Line:
    """Planning, fetching and extraction of one shard, as the rules run them."""

    def __init__(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._scripts = repository / "workflow" / "scripts"
        self._monkeypatch = monkeypatch

    def _script(self, name: str, words: str) -> None:
        self._monkeypatch.setattr(sys, "argv", [name, *shlex.split(words)])
        with pytest.raises(SystemExit) as done:
            runpy.run_path(str(self._scripts / f"{name}.py"), run_name="__main__")
        assert done.value.code == 0

    def run(self, kind: str, **settings: Any) -> dict[str, bytes]:
        """Run a source; return its frames and wavs, in tars and their indexes."""
        source = SourceWiring(Source.model_validate({"kind": kind, kind: settings}))
        out = Path(kind)
        shutil.rmtree(out, ignore_errors=True)
        plan_flags = flags(source.settings, leave=source.leave_in_plan)
        self._script(
            "plan_shards",
            f"{kind} --shards 1 --holdout 0 --holdout-seed 0 {plan_flags} --out {out}/plan.parquet "
            f"--shard-dir {out}/shards",
        )
        fetch_flags = flags(source.settings, leave=source.leave_in_fetch)
        self._script(
            "fetch_media",
            f"{kind} --plan {out}/shards/000.parquet {fetch_flags} --index {out}/index.parquet "
            f"--status {out}/status.parquet --max-failed 0 "
            + flags({"watch_list": out / "note.json", "watch_roots": source.roots, "watched": "as it was"}),
        )
        self._check_watch(out, source.roots)
        files = f"--frames {out}/f.tar --wav {out}/w.tar --status {out}/e.parquet --provenance {out}/p.json"
        roots, media = flags(source.roots), flags(Config().media, leave=["keep_frames"])
        self._script(
            "extract_media",
            f"--index {out}/index.parquet {roots} {media} --max-failed 0 --modalities both --threads 1 {files}",
        )
        assert read_table(out / "e.parquet")["code"].tolist() == ["ok"] * len(UTTERANCES)
        assert str(Path.cwd()) not in "".join(read_table(out / "index.parquet")["path"])
        return {p.name: p.read_bytes() for p in sorted(out.iterdir()) if p.name[0] in "fw"}

    @staticmethod
    def _check_watch(out: Path, roots: dict[str, str | None]) -> None:
        """Every file that is read is known by its stamp, and a change of any one of them is seen."""
        index = read_table(out / "index.parquet")
        assert (index["stamps"] != "").all()
        assert (index.loc[index["audio_path"].notna(), "audio_stamps"] != "").all()
        folders = {name: root for name, root in roots.items() if root is not None}
        assert tell_changes(out / "note.json", folders) == "as it was"
        for row in index.itertuples():
            places = [(folders[f"{row.subset}_root"], row.path)]
            if isinstance(row.audio_path, str):
                places.append((folders.get(f"{row.subset}_audio_root", places[0][0]), row.audio_path))
            for root, path in ((at, part) for at, joined in places for part in joined.split("|")):
                file = Path(root) / path
                file = min(file.iterdir()) if file.is_dir() else file
                before = file.stat()
                os.utime(file, ns=(0, 1))
                told = tell_changes(out / "note.json", folders)
                assert told.startswith("clips: 1 not as they were indexed ("), told
                os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def line(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Line:
    monkeypatch.chdir(tmp_path)
    return Line(repository, monkeypatch)


@pytest.fixture
def clips(line: Line, tmp_path: Path) -> dict[str, bytes]:
    """Make a tree of clips, `mp4`; return their bytes by name."""
    for i, utterance in enumerate(UTTERANCES):
        tone = (8000 * np.sin(2 * np.pi * (300 + 100 * i) * np.arange(24_000) / 16_000)).astype(np.int16)
        (tmp_path / "t.wav").write_bytes(wav_bytes(tone))
        images = [np.full((64, 64, 3), 5 * k + 20 * i, np.uint8) for k in range(38)]
        write_clip(tmp_path / f"mp4/{utterance}.mp4", images, tmp_path / "t.wav", size=64)
    return {f"{u}.mp4": (tmp_path / f"mp4/{u}.mp4").read_bytes() for u in UTTERANCES}


@pytest.mark.parametrize("packing", [0, 8])
def test_a_zip_in_parts_gives_what_the_tree_gives(line: Line, clips: dict[str, bytes], packing: int) -> None:
    members = {f"dev/mp4/{name}": content for name, content in clips.items()}
    path = make_zip(Path("a.zip"), members, packing)
    size = path.stat().st_size
    split(path, [size // 5, size // 2, size - 30], "vox2_dev_mp4_part")
    assert line.run("archive", video=["vox2_dev_mp4_part*"]) == line.run("tree", root="mp4")


def test_tars_give_what_the_tree_gives(line: Line, clips: dict[str, bytes]) -> None:
    for i, (name, content) in enumerate(clips.items()):
        make_tar(Path(f"{i}.tar"), {f"x/{name}": content})
    assert line.run("archive", video=["*.tar"], verify=True) == line.run("tree", root="mp4")


def test_sound_that_lies_apart_gives_the_same_from_archives_and_trees(line: Line, clips: dict[str, bytes]) -> None:
    import subprocess

    sounds = {}
    for name in clips:
        target = Path("aac") / name.replace(".mp4", ".m4a")
        target.parent.mkdir(parents=True)
        command = [ffmpeg_binary(), "-v", "error", "-i", f"mp4/{name}", "-vn", "-c:a", "aac", "-ar", "16000", target]
        subprocess.run(command, check=True)
        sounds[f"dev/aac/{name}".replace(".mp4", ".m4a")] = target.read_bytes()
    make_zip(Path("v.zip"), {f"dev/mp4/{name}": content for name, content in clips.items()})
    path = make_zip(Path("s.zip"), sounds)
    split(path, [1000, 5000], "vox2_dev_aac_part")
    apart = line.run("tree", root="mp4", audio_root="aac")
    assert line.run("archive", video=["v.zip"], audio=["vox2_dev_aac_part*"]) == apart
    together = line.run("tree", root="mp4")
    assert apart["f.tar"] == together["f.tar"]
    assert apart["w.tar"] != together["w.tar"]


def test_urls_give_what_the_tree_gives_and_their_store_is_a_tree(
    line: Line, clips: dict[str, bytes], server: FaultyServer
) -> None:
    server.files = {f"/{name}": content for name, content in clips.items()}
    lines = [f"{name.removesuffix('.mp4')},{server.url}/{name}" for name in clips]
    Path("table.csv").write_text("\n".join(["utterance,url", *lines]) + "\n")
    good, dropped = Reply(), Reply(send=3000)
    faults = [
        [dropped, Reply(503), good],
        [dropped, Reply(send=2000, stall_s=5), good],
        [dropped, Reply(claim=99), good],
    ]
    server.replies = dict(zip(server.files, faults, strict=True))
    wanted = line.run("tree", root="mp4")
    near = {"private_addresses": True}  # the server is this machine
    assert line.run("urls", table="table.csv", pause_s=0.01, timeout_s=0.5, **near) == wanted
    asked = len(server.log)
    assert asked == 8  # all was there behind the claim of more, so nothing was left to ask for
    assert line.run("tree", root="downloads/clips") == wanted
    assert line.run("urls", table="table.csv", **near) == wanted
    assert len(server.log) == asked
