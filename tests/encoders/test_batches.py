from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from avsieve.encoders.batches import Piece, batches_of, read_batches, segments_of
from avsieve.encoders.segmentation import segmentation_of
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.wav import as_float, wav_bytes


def test_an_utterance_is_cut_in_every_way_that_is_wanted() -> None:
    ways = [segmentation_of("hops"), segmentation_of("centre")]
    assert segments_of("u", 80_000, ways) == {
        "hops": [Piece("u", 0, 32_000), Piece("u", 24_000, 32_000), Piece("u", 48_000, 32_000)],
        "centre": [Piece("u", 16_000, 48_000)],
    }
    assert segments_of("u", 16_000, []) == {}


def test_batches_respect_the_budget_and_the_waste() -> None:
    pieces = [Piece(str(i), 0, n) for i, n in enumerate(np.random.default_rng(0).integers(8_000, 200_000, 300))]
    batches = list(batches_of(pieces, 30.0, mixed=True))
    assert sorted(p for b in batches for p in b) == sorted(pieces)
    for batch in batches:
        longest = max(p.length for p in batch)
        assert len(batch) == 1 or longest * len(batch) <= 30 * 16_000
        assert longest <= 1.25 * min(p.length for p in batch)


def test_without_mixed_lengths_all_of_a_batch_use_the_same_number_of_samples() -> None:
    pieces = [Piece(str(n), 0, n) for n in (16_000, 16_010, 16_020, 20_000)]
    batches = list(batches_of(pieces, 60.0, mixed=False, used=lambda n: n - n % 16))
    assert [[p.length for p in batch] for batch in batches] == [[16_000, 16_010], [16_020], [20_000]]


def test_rows_are_padded_with_zeros_behind_what_is_used_of_a_piece(tmp_path: Path) -> None:
    samples = {u: np.random.default_rng(n).integers(-9, 9, n, dtype=np.int16) for u, n in {"a": 50, "b": 80}.items()}
    with TarWriter(tmp_path / "x.tar") as writer:
        for utterance, own in samples.items():
            writer.add(utterance, f"{utterance}.wav", wav_bytes(own))
    plan = [[Piece("a", 0, 50), Piece("b", 10, 70)]]
    with TarReader(tmp_path / "x.tar") as reader:
        (batch,) = read_batches(plan, reader, pinned=False, used=lambda n: min(n, 60))
    assert batch.lengths == [50, 60]
    assert batch.waves.dtype == torch.float32
    assert np.array_equal(batch.waves[0, :50].numpy(), as_float(samples["a"]))
    assert not batch.waves[0, 50:].any()
    assert np.array_equal(batch.waves[1].numpy(), as_float(samples["b"][10:70]))
