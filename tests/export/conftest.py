"""A finished run in small: four speakers in two shards, one utterance noisy, one id with dots, test people."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from avsieve.lists.train_list import write_clean_list
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.tables import write_table
from avsieve.storage.wav import wav_bytes

TRAIN = ["id2/v.1/00.1", "id1/vA/00001", "id1/vA/00002", "id3/vB/00001", "id2/vC/00001"]
TEST = ["id9/vZ/00001"]
NOISY = "id3/vB/00001"
SHARD = {"id1": "000", "id2": "001", "id3": "000", "id9": "001"}


def jpeg(value: int) -> bytes:
    image = np.full((112, 112, 3), value, np.uint8)
    return bytes(cv2.imencode(".jpg", image)[1])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    names = TRAIN + TEST
    plan = pd.DataFrame(
        {
            "utterance": names,
            "subset": ["train"] * len(TRAIN) + ["test"],
            "shard": [SHARD[n.split("/")[0]] for n in names],
            "seconds": "1.50",
        }
    )
    write_table(folder / "plan/utterances.parquet", plan)
    clean = np.array([n != NOISY for n in TRAIN])
    similarity = np.linspace(0.1, 0.5, len(TRAIN))
    write_clean_list(folder / "lists/train_all_clean.txt", TRAIN, ["1.50"] * 5, similarity, similarity, clean)
    decisions = {"utterance": TRAIN, "p_wrong": 1.0 - clean, "kind": ["" if c else "video" for c in clean]}
    decisions |= {f"{m}_similarity": similarity.astype(np.float32) for m in ("audio", "visual")}
    write_table(folder / "lists/decisions.parquet", pd.DataFrame(decisions))
    for shard in ("000", "001"):
        own = [n for n in names if SHARD[n.split("/")[0]] == shard]
        with (
            TarWriter(folder / f"align/{shard}.faces.tar") as faces,
            TarWriter(folder / f"extract/{shard}.wav.tar") as wavs,
        ):
            for name in own:
                wavs.add(name, f"{name}.wav", wav_bytes(np.arange(1600, dtype=np.int16)))
                if name != "id2/vC/00001":  # no face was found in it
                    for k in (10, 20):
                        faces.add(name, f"{name}/{k:04d}.jpg", jpeg(names.index(name) * 20 + k))
    return folder
