"""WebDataset and Parquet, read back with the packages that they are for."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from avsieve.errors import AvsieveError
from avsieve.export.contents import Contents
from avsieve.export.datasets import write_datasets
from avsieve.export.parts import plan_parts
from avsieve.export.samples import key_of, write_samples
from avsieve.export.selection import select
from avsieve.export.settings import Wish
from avsieve.storage.indexed_tar import TarReader

from .conftest import NOISY, TRAIN

SHARDS = ["000", "001"]
WRITERS = {"tar": write_samples, "parquet": write_datasets}


def written(form: str, results: Path, out: Path, *, part_bytes: int = 10**9, seed: int | None = 1) -> dict[str, int]:
    contents = Contents(results, ["faces", "wav"], SHARDS)
    return WRITERS[form](select(results, Wish(subset="all")), contents, out, part_bytes=part_bytes, shuffle_seed=seed)


def digests(out: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(out.iterdir())}


def test_webdataset_reads_a_sample_an_utterance(results: Path, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    written("tar", results, tmp_path / "out")
    samples = {s["json"]["utterance"]: s for s in webdataset.WebDataset(
        [str(tmp_path / "out/000000.tar")], shardshuffle=False).decode("rgb8")}  # fmt: skip
    assert set(samples) == set(TRAIN)
    dotted = samples["id2/v.1/00.1"]
    assert set(dotted) == {"__key__", "__url__", "__local_path__", "json", "cls", "wav", "0010.jpg", "0020.jpg"}
    assert dotted["0010.jpg"].shape == (112, 112, 3)
    assert (dotted["cls"], dotted["json"]["label"], dotted["json"]["flag"]) == (1, 1, 1)
    assert samples[NOISY]["json"]["kind"] == "video"
    assert samples[NOISY]["json"]["audio_similarity"] == pytest.approx(0.4)
    assert "0010.jpg" not in samples["id2/vC/00001"]
    sound, rate = soundfile.read(io.BytesIO(dotted["wav"]), dtype="int16")
    assert (rate, len(sound)) == (16_000, 1600)


def test_dots_of_an_id_are_no_endings() -> None:
    assert key_of("id2/v.1/00.1") == "id2/v%2E1/00%2E1"


def test_datasets_reads_sound_and_images(results: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    written("parquet", results, tmp_path / "out")
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "out/*.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert isinstance(loaded.features["audio"], datasets.Audio)
    rows = {row["utterance"]: row for row in loaded.cast_column("audio", datasets.Audio(16_000, decode=False))}
    assert set(rows) == set(TRAIN)
    assert [image.size for image in rows["id1/vA/00001"]["faces"]] == [(112, 112), (112, 112)]
    assert rows["id2/vC/00001"]["faces"] == []
    assert rows["id1/vA/00001"]["audio"]["path"] == "id1/vA/00001.wav"


def test_parquet_is_plain_parquet(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avsieve.export.datasets.ROW_GROUP_BYTES", 4000)
    written("parquet", results, tmp_path / "out", seed=None)
    file = pq.ParquetFile(tmp_path / "out/part-00000-of-00001.parquet")
    assert file.metadata.num_row_groups > 1
    table = file.read()
    assert table["utterance"].to_pylist() == TRAIN
    assert table["flag"].to_pylist() == [1, 1, 1, 0, 1]
    assert json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]["audio"]["_type"] == "Audio"
    with TarReader(results / "align/000.faces.tar") as reader:
        face = table["faces"][1].as_py()[0]
        assert face == {"bytes": reader.read("id1/vA/00001/0010.jpg"), "path": "id1/vA/00001/0010.jpg"}


@pytest.mark.parametrize("form", ["tar", "parquet"])
def test_a_broken_off_export_goes_on_and_gives_the_same_bytes(results: Path, tmp_path: Path, form: str) -> None:
    counts = written(form, results, tmp_path / "a", part_bytes=12_000)
    assert counts["parts"] > 1
    whole = digests(tmp_path / "a")
    gone = next(p for p in sorted((tmp_path / "a").iterdir()) if p.suffix == f".{form}" and p.name != "export.json")
    gone.unlink()
    again = written(form, results, tmp_path / "a", part_bytes=12_000)
    assert (again["written"], again["left"]) == (1, counts["parts"] - 1)
    assert digests(tmp_path / "a") == whole
    written(form, results, tmp_path / "b", part_bytes=12_000)
    assert digests(tmp_path / "b") == whole


def test_another_export_is_not_mixed_into_a_folder(results: Path, tmp_path: Path) -> None:
    written("tar", results, tmp_path / "out")
    with pytest.raises(AvsieveError, match="another export"):
        written("tar", results, tmp_path / "out", seed=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/x.tar").write_bytes(b"")
    with pytest.raises(AvsieveError, match="name another folder"):
        written("tar", results, tmp_path / "mine")


def test_parts_hold_every_utterance_once_and_no_more_than_they_may(results: Path) -> None:
    table = select(results, Wish(subset="all"))
    parts = plan_parts(table, np.array([5, 5, 20, 3, 3]), 10, None)
    assert [part["utterance"].tolist() for part in parts] == [TRAIN[:2], [TRAIN[2]], TRAIN[3:]]
    mixed = plan_parts(table, np.ones(5, int), 10, 7)[0]["utterance"].tolist()
    assert sorted(mixed) == sorted(TRAIN)
    assert mixed != TRAIN
