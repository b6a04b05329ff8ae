"""What the sources voxceleb, frames and embeddings say to the doctor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.sources.embeddings import check as embeddings
from avsieve.sources.embeddings.contract import Embeddings
from avsieve.sources.findings import SourceFacts
from avsieve.sources.frames import check as frames
from avsieve.sources.frames.contract import Frames
from avsieve.sources.ledger import Ledger
from avsieve.sources.store import Store
from avsieve.sources.voxceleb import check as voxceleb
from avsieve.sources.voxceleb.contract import Voxceleb
from avsieve.storage.reasons import Reason
from avsieve.storage.wav import wav_bytes

TRACK = "Reference : v\n\nFRAME X Y W H\n" + "".join(f"{i} 0.1 0.1 0.2 0.2\n" for i in range(50))


def levels(facts: SourceFacts) -> dict[str, str]:
    """Return the worst level of each subject."""
    order = ["ok", "note", "warning", "error"]
    out: dict[str, str] = {}
    for f in facts.findings:
        out[f.subject] = max(out.get(f.subject, "ok"), f.level, key=order.index)
    return out


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    for name in ("id1/v/00001", "id1/v/00002", "id2/w/00001", "id2/x/00001"):
        path = tmp_path / "txt" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TRACK)
    return tmp_path


def test_tracks_are_counted_and_what_the_store_holds_is_not_fetched_again(tracks: Path) -> None:
    settings = Voxceleb(tracks=str(tracks / "txt"), store=str(tracks / "store"), url="http://x/{video}")
    facts = voxceleb.check(settings, "both")
    assert (facts.utterances, facts.seconds) == (4, 8.0)
    assert facts.fetch_bytes == 8 * voxceleb.CLIP_BYTES_PER_S
    assert levels(facts)["source.voxceleb.tracks"] == "ok"
    ledger = Ledger(Store(tracks / "store"), "id1")
    ledger.record("id1/v", "done")
    ledger.record("id1/v/00001", "done")
    ledger.record("id1/v/00002", "later")
    again = voxceleb.check(settings, "both")
    assert again.fetch_bytes == 6 * voxceleb.CLIP_BYTES_PER_S
    Ledger(Store(tracks / "store"), "id2").record("id2/w", "gone", Reason.VIDEO_PRIVATE)
    fewer = voxceleb.check(settings, "both").fetch_bytes
    assert fewer == pytest.approx(8 * (1 - 1 / 4 - 1 / 3) * voxceleb.CLIP_BYTES_PER_S, abs=1)
    assert any("1 clips are there" in f.text for f in again.findings)


def test_what_is_missing_to_fetch_is_told(tracks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tracks / "txt/id1/v/00001.txt").write_text("nothing")
    (tracks / "cookies.txt").write_text("{}")
    monkeypatch.setattr(voxceleb, "version", lambda _: "2020.01.05")
    monkeypatch.setattr(voxceleb.shutil, "which", lambda _: None)
    monkeypatch.setattr(voxceleb, "ffmpeg_binary", lambda: "/x/ffmpeg")
    settings = Voxceleb(tracks=str(tracks / "txt"), cookies=str(tracks / "cookies.txt"), test_tracks="nowhere")
    facts = voxceleb.check(settings, "both")
    found = levels(facts)
    assert found["source.voxceleb.tracks"] == "warning"
    assert found["source.voxceleb.test_tracks"] == "error"
    assert found["source.voxceleb.cookies"] == "warning"
    assert found["yt-dlp"] == "warning"
    assert any("days old" in f.text for f in facts.findings)
    assert any("deno" in f.remedy for f in facts.findings)


def test_images_and_sound_are_looked_for(tmp_path: Path) -> None:
    for i in range(4):
        wav = tmp_path / f"wav/id1/v/0000{i}.wav"
        image = tmp_path / f"faces/Name/v/0000{i}/1.jpg"
        wav.parent.mkdir(parents=True, exist_ok=True)
        image.parent.mkdir(parents=True, exist_ok=True)
        wav.write_bytes(wav_bytes(np.ones(16_000, np.int16)))
        image.write_bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    (tmp_path / "meta.csv").write_text("VoxCeleb1 ID\tVGGFace1 ID\nid1\tName\n")
    given = {"wavs": str(tmp_path / "wav"), "faces": str(tmp_path / "faces")}
    facts = frames.check(Frames(**given, names=str(tmp_path / "meta.csv")), "both")
    assert set(levels(facts).values()) == {"ok"}
    assert (facts.utterances, facts.seconds) == (4, pytest.approx(4.0))
    assert levels(frames.check(Frames(**given), "both"))["source.frames.faces"] == "error"
    assert "source.frames.faces" not in levels(frames.check(Frames(**given), "audio"))
    assert levels(frames.check(Frames(wavs="nowhere"), "audio")) == {"source.frames.wavs": "error"}


def test_tables_and_list_must_fit(tmp_path: Path) -> None:
    names = [f"id1/v/0000{i}" for i in range(4)]
    (tmp_path / "l.txt").write_text("".join(f"id1 {n}.wav 1\n" for n in names))
    np.savez(tmp_path / "a.npz", utterance=np.array(names[1:]), embedding=np.ones((3, 2), np.float32))
    np.savez(tmp_path / "o.npz", utterance=np.array(["id9/v/1"]), embedding=np.ones((1, 2), np.float32))
    list_ = str(tmp_path / "l.txt")
    tables = {
        "audio": str(tmp_path / "a.npz"),
        "visual": str(tmp_path / "o.npz"),
        "test_audio": str(tmp_path / "o.npz"),
    }
    facts = embeddings.check(Embeddings(train_list=list_, **tables, test_visual="none.npz"), "both")
    found = levels(facts)
    assert found["source.embeddings.audio"] == "warning"
    assert found["source.embeddings.visual"] == "error"
    assert found["source.embeddings.test_visual"] == "error"
    assert facts.utterances == 5
    assert levels(embeddings.check(Embeddings(train_list="none.txt"), "both")) == {
        "source.embeddings.train_list": "error"
    }


def test_tables_of_segments_and_faces_are_looked_at_as_the_run_does(tmp_path: Path) -> None:
    names = [f"id1/v/0000{i}" for i in range(4)]
    (tmp_path / "l.txt").write_text("".join(f"id1 {n}.wav 1\n" for n in names))
    np.savez(tmp_path / "a.npz", utterance=np.array(names), embedding=np.ones((4, 2), np.float32))
    write_embeddings(tmp_path / "all.parquet", names * 2, np.ones((8, 2), np.float32), segmentation=["hops"] * 8)
    write_embeddings(tmp_path / "some.parquet", [*names[:3], "id9/v/1"], np.ones((4, 2), np.float32))
    write_embeddings(tmp_path / "long.parquet", names, np.ones((4, 3), np.float32))
    table = str(tmp_path / "a.npz")
    given = {"train_list": str(tmp_path / "l.txt"), "audio": table, "visual": table}

    def told(faces: str, segments: str = "all") -> dict[str, str]:
        tables = {
            "audio_segments": {segments: f"{tmp_path}/all.parquet"},
            "visual_frames": f"{tmp_path}/{faces}.parquet",
        }
        found = embeddings.check(Embeddings(**given, **tables), "both").findings
        return {f.subject: f"{f.level}: {f.text}" for f in found if f.subject.endswith(("_segments", "_frames"))}

    assert told("some", "hops") == {
        "source.embeddings.audio_segments": "ok: hops: 8 embeddings of 4 of 4 utterances",
        "source.embeddings.visual_frames": "warning: frames: 3 embeddings of 3 of 4 utterances; 1 rows are of others",
    }
    odd = told("long", "eighths")
    assert "no segmentation eighths, found hops" in odd["source.embeddings.audio_segments"]
    assert odd["source.embeddings.visual_frames"].startswith("warning: embeddings of length 3, those of whole")
    assert "none.parquet: no such file" in told("none", "hops")["source.embeddings.visual_frames"]
