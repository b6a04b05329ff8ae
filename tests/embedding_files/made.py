"""Embeddings of a small corpus, written in every format that is known."""

from __future__ import annotations

import csv
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from kaldiio import WriteHelper
from safetensors.numpy import save_file

NAMES = [f"id{s:05d}/vid{k // 4}/{k:05d}" for s in range(6) for k in range(12)]
_RNG = np.random.default_rng(0)
VECTORS = (np.repeat(_RNG.normal(size=(6, 16)), 12, 0) + _RNG.normal(size=(72, 16))).astype(np.float32)

Vectors = np.ndarray | Sequence[np.ndarray]


def npz(base: Path, names: list[str], vectors: Vectors) -> str:
    np.savez(base / "t.npz", utterance=np.array(names), embedding=np.asarray(vectors))
    return str(base / "t.npz")


def npz_by_name(base: Path, names: list[str], vectors: Vectors) -> str:
    np.savez(base / "named.npz", **dict(zip(names, vectors, strict=True)))
    return str(base / "named.npz")


def npy(base: Path, names: list[str], vectors: Vectors) -> str:
    np.save(base / "t.npy", np.asarray(vectors))
    (base / "names.txt").write_text("".join(f"{n}.wav\n" for n in names))
    return f"{base / 't.npy'}:{base / 'names.txt'}"


def npy_dictionary(base: Path, names: list[str], vectors: Vectors) -> str:
    np.save(base / "d.npy", dict(zip(names, vectors, strict=True)), allow_pickle=True)  # type: ignore[arg-type]
    return str(base / "d.npy")


def parquet(base: Path, names: list[str], vectors: Vectors) -> str:
    pq.write_table(
        pa.table({"utterance": names, "embedding": [list(map(float, v)) for v in vectors]}), base / "t.parquet"
    )
    return str(base / "t.parquet")


def comma(base: Path, names: list[str], vectors: Vectors) -> str:
    with (base / "t.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([n, *map(repr, map(float, v))] for n, v in zip(names, vectors, strict=True))
    return str(base / "t.csv")


def pickled(base: Path, names: list[str], vectors: Vectors) -> str:
    (base / "t.pkl").write_bytes(pickle.dumps(dict(zip(names, vectors, strict=True))))
    return str(base / "t.pkl")


def tensors(base: Path, names: list[str], vectors: Vectors) -> str:
    torch.save({n: torch.from_numpy(np.array(v)) for n, v in zip(names, vectors, strict=True)}, base / "t.pt")
    return str(base / "t.pt")


def safe(base: Path, names: list[str], vectors: Vectors) -> str:
    save_file({n: np.array(v) for n, v in zip(names, vectors, strict=True)}, base / "t.safetensors")
    return str(base / "t.safetensors")


def ark(base: Path, names: list[str], vectors: Vectors) -> str:
    with WriteHelper(f"ark,scp:{base / 't.ark'},{base / 't.scp'}") as writer:
        for name, vector in zip(names, vectors, strict=True):
            writer(name, np.array(vector))
    return str(base / "t.ark")


def scp(base: Path, names: list[str], vectors: Vectors) -> str:
    ark(base, names, vectors)
    return str(base / "t.scp")


def ark_text(base: Path, names: list[str], vectors: Vectors) -> str:
    with WriteHelper(f"ark,t:{base / 'text.ark'}") as writer:
        for name, vector in zip(names, vectors, strict=True):
            writer(name, np.array(vector))
    return f"ark:{base / 'text.ark'}"


def folder(base: Path, names: list[str], vectors: Vectors) -> str:
    for name, vector in zip(names, vectors, strict=True):
        path = base / "each" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, vector)
    return str(base / "each")


SAVE: dict[str, Callable[[Path, list[str], Vectors], str]] = {
    f.__name__: f
    for f in (npz, npz_by_name, npy, npy_dictionary, parquet, comma, pickled, tensors, safe, ark, scp, ark_text, folder)
}


def lists(base: Path) -> None:
    """Write a training list and trials of the corpus."""
    (base / "train.txt").write_text("".join(f"{u[:7]} {u}.wav 4.0\n" for u in NAMES))
    pairs = zip(NAMES, NAMES[5:] + NAMES[:5], strict=True)
    (base / "trials.txt").write_text("".join(f"{int(a[:7] == b[:7])} {a}.wav {b}.wav\n" for a, b in pairs))
