from __future__ import annotations

import json
import runpy
import shlex
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from avsieve.damage.damaged_tars import ShardFiles, damage_shard
from avsieve.embedding_files.own_tables import read_embeddings, read_measures
from avsieve.encoders.settings import Audio, Visual
from avsieve.errors import TarError
from avsieve.faces.tables import DETECTION_SCHEMA
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.tables import open_table, read_table
from avsieve.storage.wav import samples_of, wav_bytes
from avsieve.wiring.flags import flags

from .shards import face, files_of, row, speech_like, voice, write_rows, write_shard

ROWS = [
    row("noise", "a/v/1", "audio", "noise", seed=-3, snr_db=5.0, sound="babble"),
    row("noise", "b/v/1", "audio", "noise", seed=4, snr_db=5.0, sound="babble"),
    row("short", "b/v/1", "audio", "short", seed=5),
    row("occlusion", "a/v/1", "visual", "occlusion", seed=6),
    row("one", "b/v/1", "visual", "one_frame", seed=7),
]


@pytest.fixture
def clean(tmp_path: Path) -> ShardFiles:
    voices = {f"{speaker}/v/1": speech_like(seed=i) for i, speaker in enumerate("abcd")}
    faces = {f"{speaker}/v/1": [face(10 * i + k) for k in range(3)] for i, speaker in enumerate("ab")}
    return write_shard(tmp_path / "clean", voices, faces, lost="media_missing")


def damage(clean: ShardFiles, folder: Path, *rows: dict) -> ShardFiles:
    folder.mkdir(exist_ok=True)
    files = files_of(folder)
    damage_shard(write_rows(folder / "damage.parquet", *rows), clean, files)
    return files


def members(tar: Path) -> dict[str, bytes]:
    with TarReader(tar) as reader:
        return {name: reader.read(name) for name in reader.index["name"]}


def test_versions_take_the_place_of_the_utterances_in_all_files(clean: ShardFiles, tmp_path: Path) -> None:
    files = damage(clean, tmp_path / "out", *ROWS)
    assert list(members(files.wav)) == ["a/v/1@noise.wav", "b/v/1@noise.wav", "b/v/1@short.wav"]
    assert len(samples_of(members(files.wav)["b/v/1@short.wav"])) == 16_000
    extracted = read_table(files.extracted)
    assert extracted["utterance"].tolist() == ["a/v/1@noise", "b/v/1@noise", "b/v/1@short"]
    assert extracted["code"].tolist() == ["ok"] * 3
    assert extracted["audio_s"].tolist() == [1.5, 1.5, 1.0]
    names = [f"a/v/1@occlusion/{frame}.png" for frame in ("0010", "0020", "0030")]
    assert list(members(files.faces))[:3] == names
    assert len(members(files.faces)) == 4
    assert read_table(files.aligned)[["utterance", "code", "n_faces"]].to_numpy().tolist() == [
        ["a/v/1@occlusion", "ok", 3],
        ["b/v/1@one", "ok", 1],
    ]
    with open_table(files.detections) as file:
        assert file.schema_arrow.equals(DETECTION_SCHEMA)
    found = read_table(files.detections)
    assert found["utterance"].tolist() == ["a/v/1@occlusion"] * 3 + ["b/v/1@one"]
    assert found["score"].unique() == pytest.approx(0.8)
    assert (found["quality"] != 0.5).all()
    assert (found["sharpness"] > 0).all()


def test_equal_tables_give_equal_bytes_and_other_rows_and_their_order_change_nothing(
    clean: ShardFiles, tmp_path: Path
) -> None:
    one = damage(clean, tmp_path / "one", *ROWS)
    two = damage(clean, tmp_path / "two", *reversed(ROWS))
    for a, b in zip(vars(one).values(), vars(two).values(), strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name
    few = damage(clean, tmp_path / "few", ROWS[1], ROWS[4])
    for tar in ("wav", "faces"):
        part, whole = members(getattr(few, tar)), members(getattr(one, tar))
        assert len(part) == 1
        assert part == {name: whole[name] for name in part}
    reseeded = damage(clean, tmp_path / "reseeded", ROWS[1] | {"seed": 99})
    assert members(reseeded.wav)["b/v/1@noise.wav"] != members(one.wav)["b/v/1@noise.wav"]


def test_what_cannot_be_damaged_is_a_row_with_the_code_that_it_had(tmp_path: Path) -> None:
    voices = {"a/v/1": speech_like(), "e/v/1": np.zeros(0, np.int16)}
    clean = write_shard(tmp_path / "clean", voices, {}, lost="media_missing")
    with TarWriter(clean.wav) as writer:
        writer.add("a/v/1", "a/v/1.wav", b"no wav")
        writer.add("e/v/1", "e/v/1.wav", wav_bytes(voices["e/v/1"]))
    files = damage(
        clean,
        tmp_path / "out",
        *(row("clipping", utterance, "audio", "clipping") for utterance in ("a/v/1", "e/v/1", "x/v/lost")),
        row("blur", "a/v/1", "visual", "blur"),
        row("blur", "x/v/lost", "visual", "blur"),
    )
    codes = read_table(files.extracted).set_index("utterance")["code"].to_dict()
    assert codes == {
        "a/v/1@clipping": "audio_undecodable", "e/v/1@clipping": "ok", "x/v/lost@clipping": "media_missing"
    }  # fmt: skip
    assert list(members(files.wav)) == ["e/v/1@clipping.wav"]
    codes = read_table(files.aligned).set_index("utterance")["code"].to_dict()
    assert codes == {"a/v/1@blur": "no_faces", "x/v/lost@blur": "media_missing"}
    assert members(files.faces) == {}
    assert len(read_table(files.detections)) == 0


def test_a_face_that_is_no_image_stops_the_shard(clean: ShardFiles, tmp_path: Path) -> None:
    with TarWriter(clean.faces) as writer:
        writer.add("a/v/1", "a/v/1/0010.jpg", b"no image")
    with pytest.raises(TarError, match=r"member a/v/1/0010\.jpg is not an image; run align_faces again"):
        damage(clean, tmp_path / "out", ROWS[3])
    assert not files_of(tmp_path / "out").faces.exists()


def run_script(name: str, repository: Path, *arguments: object) -> object:
    """Run a command line in this process, which saves loading torch again; return its exit code."""
    script = str(repository / "workflow" / "scripts" / f"{name}.py")
    with mock.patch.object(sys, "argv", [script, *map(str, arguments)]), pytest.raises(SystemExit) as ended:
        runpy.run_path(script, run_name="__main__")
    return ended.value.code


def embed(repository: Path, files: ShardFiles, out: Path, *, max_failed: float = 1) -> dict[str, np.ndarray]:
    """Embed a shard with the scripts of the rules; return unit vectors by name and modality."""
    common = ["--device", "cpu", "--threads", 1, "--max-failed", max_failed, "--provenance", out / "made.json"]
    audio = [
        "--wav", files.wav, "--extracted", files.extracted, "--embeddings", out / "audio.parquet",
        "--segment-embeddings", out / "segments.parquet", "--status", out / "audio.status.parquet", *common,
    ]  # fmt: skip
    visual = [
        "--faces", files.faces, "--detections", files.detections, "--aligned", files.aligned,
        "--embeddings", out / "visual.parquet", "--frame-embeddings", out / "frames.parquet",
        "--status", out / "visual.status.parquet", *common,
    ]  # fmt: skip
    assert run_script("embed_audio", repository, *audio, *shlex.split(flags(Audio()))) == 0
    assert run_script("embed_visual", repository, *visual, *shlex.split(flags(Visual()))) == 0
    found: dict[str, np.ndarray] = {}
    for modality in ("audio", "visual"):
        names, vectors = read_embeddings(out / f"{modality}.parquet")
        found |= {f"{modality} {n}": v / np.linalg.norm(v) for n, v in zip(names, vectors, strict=True)}
    return found


def test_damaged_signals_are_embedded_by_the_scripts_that_embed_the_undamaged_ones(
    tmp_path: Path, repository: Path
) -> None:
    voices = {"a/v/1": voice(1, 1), "b/v/1": voice(2, 2)}
    faces = {"a/v/1": [face(0), face(1)], "b/v/1": [face(5)]}
    clean = write_shard(tmp_path / "clean", voices, faces)
    table = write_rows(
        tmp_path / "damage.parquet",
        row("hardly", "a/v/1", "audio", "noise", snr_db=60.0),
        row("much", "a/v/1", "audio", "noise", snr_db=0.0),
        row("tiny", "b/v/1", "audio", "short", seconds=0.001),
        row("much", "a/v/1", "visual", "occlusion"),
        row("hardly", "a/v/1", "visual", "crop", pixels=112),
    )
    damaged = files_of(tmp_path / "damaged")
    pairs = [(name, getattr(clean, name)) for name in vars(clean)]
    pairs += [(f"out_{name}", getattr(damaged, name)) for name in vars(damaged)]
    options = [word for name, path in pairs for word in (f"--{name.replace('_', '-')}", path)]
    made = tmp_path / "made.json"
    assert run_script("damage_shard", repository, "--damage", table, *options, "--provenance", made) == 0
    told = json.loads(made.read_text())
    assert told["versions_made"] == {"audio": {"noise": 2, "short": 1}, "visual": {"crop": 1, "occlusion": 1}}
    one = embed(repository, clean, tmp_path / "clean", max_failed=0)
    two = embed(repository, damaged, tmp_path / "damaged")
    assert set(two) == {f"{modality} a/v/1@{name}" for modality in ("audio", "visual") for name in ("hardly", "much")}
    assert two["audio a/v/1@hardly"] @ one["audio a/v/1"] > 0.99
    assert two["audio a/v/1@much"] @ one["audio a/v/1"] < 0.9
    assert two["visual a/v/1@hardly"] @ one["visual a/v/1"] > 0.9999
    assert two["visual a/v/1@much"] @ one["visual a/v/1"] < 0.95
    # What is too short to be embedded is a result, and no fault of the run.
    codes = read_table(tmp_path / "damaged" / "audio.status.parquet").set_index("utterance")["code"]
    assert codes["b/v/1@tiny"] == "audio_too_short"
    assert read_measures(tmp_path / "damaged" / "visual.parquet")["quality"][0] > 0


def test_a_shard_of_which_nothing_is_damaged_gives_empty_tables(tmp_path: Path, repository: Path) -> None:
    clean = write_shard(tmp_path / "clean", {"a/v/1": speech_like()}, {"a/v/1": [face(0)]})
    files = damage(clean, tmp_path / "none", row("noise", "elsewhere/v/1", "audio", "noise", snr_db=1.0))
    assert embed(repository, files, tmp_path / "none") == {}
