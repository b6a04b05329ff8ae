from __future__ import annotations

import functools
import runpy
import shlex
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.encoders.batches import batches_of, read_batches, segments_of
from avsieve.encoders.ecapa import ecapa_small
from avsieve.encoders.embed_audio import embed_shard as embed
from avsieve.encoders.segmentation import segmentation_of
from avsieve.encoders.settings import Audio
from avsieve.errors import ConfigError
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.tables import read_table
from avsieve.storage.wav import as_float, samples_of, wav_bytes
from avsieve.wiring.flags import flags
from tests.kills import survives_kills

HOPS = [segmentation_of("hops")]
embed_shard = functools.partial(embed, batch_s=60.0, precision="fp32", segmentations=HOPS)
CPU = torch.device("cpu")
LENGTHS = {"a/v/1": 32_000, "a/v/2": 35_200, "b/v/1": 35_840, "b/v/2": 90_000, "c/v/1": 16_000}


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Five good utterances, one of silence, one too short, one that is no wav."""
    rng = np.random.default_rng(0)
    tar = tmp_path / "000.wav.tar"
    with TarWriter(tar) as writer:
        for utterance, n in LENGTHS.items():
            writer.add(utterance, f"{utterance}.wav", wav_bytes((rng.normal(0, 3000, n)).astype(np.int16)))
        writer.add("d/v/silent", "d/v/silent.wav", wav_bytes(np.zeros(20_000, np.int16)))
        writer.add("d/v/short", "d/v/short.wav", wav_bytes(np.ones(100, np.int16)))
        writer.add("d/v/broken", "d/v/broken.wav", b"RIFF")
    return tar


def encoder() -> nn.Module:
    torch.manual_seed(0)
    return ecapa_small().eval()


@pytest.mark.parametrize("mixed", [True, False])
def test_every_embedding_is_that_of_the_utterance_alone(
    shard: Path, monkeypatch: pytest.MonkeyPatch, mixed: bool
) -> None:
    net = encoder()
    if mixed:  # as on CUDA
        plan = functools.partial(batches_of, mixed=True)
        monkeypatch.setattr(
            "avsieve.encoders.embed_audio.batches_of", lambda p, s, mixed, used: plan(p, 60.0, used=used)
        )
    shapes: list[int] = []
    net.register_forward_pre_hook(lambda _, given: shapes.append(len(given[0])))
    results, _ = embed_shard(shard, list(LENGTHS), net, device=CPU, segmentations=[])
    assert max(shapes) == (3 if mixed else 1)
    rng = np.random.default_rng(0)
    for utterance, found in zip(results.utterances, results.vectors, strict=True):
        wave = as_float(rng.normal(0, 3000, LENGTHS[utterance]).astype(np.int16))
        with torch.no_grad():
            alone = net(torch.from_numpy(wave)[None])[0].numpy()
        assert found @ alone / np.linalg.norm(found) / np.linalg.norm(alone) > 0.99999
    assert results.utterances == list(LENGTHS)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_on_cuda_an_embedding_does_not_depend_on_its_batch_either(shard: Path, precision: str) -> None:
    net, cuda = encoder(), torch.device("cuda")
    many, one = (
        np.stack(embed_shard(shard, list(LENGTHS), net, device=cuda, batch_s=s, precision=precision)[0].vectors)
        for s in (60.0, 0.0)
    )
    cosines = (many * one).sum(1) / np.linalg.norm(many, axis=1) / np.linalg.norm(one, axis=1)
    assert cosines.min() > 0.9999


def test_an_encoder_without_masks_gets_equal_lengths(shard: Path) -> None:
    seen: list[tuple[int, ...]] = []

    class Plain(nn.Module):
        dim, min_samples = 1, 400

        def forward(self, waves: Tensor) -> Tensor:
            seen.append(tuple(waves.shape))
            return waves.square().mean(dim=1, keepdim=True)

    embed_shard(shard, list(LENGTHS), Plain(), device=CPU, segmentations=[])
    assert sorted(n for _, n in seen) == sorted(LENGTHS.values())


def test_every_utterance_has_a_status_with_its_reason(shard: Path) -> None:
    asked = ["d/v/silent", "a/v/1", "d/v/short", "d/v/broken", "e/v/absent"]
    results, status = embed_shard(shard, asked, encoder(), device=CPU)
    codes = status.frame().set_index("utterance")["code"].to_dict()
    assert codes == {
        "d/v/silent": "audio_silent",
        "a/v/1": "ok",
        "d/v/short": "audio_too_short",
        "d/v/broken": "audio_undecodable",
        "e/v/absent": "no_audio",
    }
    assert results.utterances == ["a/v/1"]


def test_an_embedding_that_is_not_finite_is_a_row_and_no_result(shard: Path) -> None:
    net = encoder()
    with torch.no_grad():
        net.get_parameter("fc6.bias")[0] = float("nan")
    results, status = embed_shard(shard, ["a/v/1"], net, device=CPU)
    assert not results.utterances
    assert status.counts() == {"embedding_not_finite": 1}


def test_tables_are_written_with_their_columns(shard: Path, tmp_path: Path) -> None:
    results, _ = embed_shard(shard, [*LENGTHS, "d/v/silent"], encoder(), device=CPU)
    results.write(tmp_path / "000.parquet", tmp_path / "000.segments.parquet")
    utterances, embeddings = read_embeddings(tmp_path / "000.parquet")
    assert utterances == list(LENGTHS)
    assert embeddings.shape == (5, 128)
    assert embeddings.dtype == np.float32
    table = pd.read_parquet(tmp_path / "000.parquet")
    assert table["duration_s"].tolist() == [n / 16_000 for n in LENGTHS.values()]
    segments = pd.read_parquet(tmp_path / "000.segments.parquet")
    assert segments[segments["utterance"] == "b/v/2"]["segment"].tolist() == [0, 1, 2]
    assert segments[segments["utterance"] == "b/v/2"]["start_s"].tolist() == [0.0, 1.8125, 3.625]
    assert set(segments["segmentation"]) == {"hops"}
    assert segments[segments["utterance"] == "c/v/1"]["length_s"].tolist() == [1.0]
    assert segments["embedding"].iloc[0].dtype == np.float16


def test_all_segmentations_lie_in_one_table_and_what_they_share_is_computed_once(
    shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = encoder()
    computed: list[int] = []
    net.register_forward_pre_hook(lambda _, given: computed.extend(len(wave) for wave in given[0]))
    # The middle of 2.2 s is one of the hops of its own; an utterance of 1 s is every segment but the parts.
    ways = [segmentation_of(own) for own in ("hops", "eighths", {"name": "two", "kind": "centre", "length_s": 2.0})]
    results, status = embed_shard(shard, ["b/v/2", "c/v/1"], net, device=CPU, segmentations=ways)
    results.write(tmp_path / "0.parquet", tmp_path / "s.parquet")
    table = pd.read_parquet(tmp_path / "s.parquet")
    assert list(zip(table["utterance"], table["segmentation"], strict=True)) == [
        *(("b/v/2", name) for name in [*["hops"] * 3, *["eighths"] * 8, "two"]),
        *(("c/v/1", name) for name in ["hops", *["eighths"] * 8, "two"]),
    ]
    for _, own in table.groupby(["utterance", "segmentation"]):
        assert own["segment"].tolist() == list(range(len(own)))
        assert own["start_s"].is_monotonic_increasing
    hop, two = (table[(table["utterance"] == "b/v/2") & (table["segmentation"] == s)] for s in ("hops", "two"))
    assert two["start_s"].item() == hop["start_s"].iloc[1]
    assert np.array_equal(two["embedding"].item(), hop["embedding"].iloc[1])
    # Both whole, three hops of which one is the centre, eight parts of each.
    assert len(computed) == 2 + 3 + 16
    assert status.frame()["n_segments"].tolist() == [12, 10]


def test_a_shard_without_any_result_gives_empty_tables(shard: Path, tmp_path: Path) -> None:
    results, _ = embed_shard(shard, ["d/v/silent"], encoder(), device=CPU)
    results.write(tmp_path / "a.parquet", tmp_path / "b.parquet")
    assert read_embeddings(tmp_path / "a.parquet")[1].shape == (0, 128)
    assert len(pd.read_parquet(tmp_path / "b.parquet")) == 0


def test_equal_runs_give_equal_bytes(shard: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        results, _ = embed_shard(shard, list(LENGTHS), encoder(), device=CPU)
        results.write(tmp_path / f"{name}.parquet", tmp_path / f"{name}.segments.parquet")
    for suffix in (".parquet", ".segments.parquet"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


@pytest.mark.parametrize("options", [{"precision": "fp8"}])
def test_wrong_settings_are_refused(shard: Path, options: dict) -> None:
    with pytest.raises(ConfigError, match="expected"):
        embed_shard(shard, ["a/v/1"], encoder(), device=CPU, **options)


def test_segments_are_read_from_their_place_and_utterances_once(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plain = TarReader.read
    monkeypatch.setattr(TarReader, "read", lambda self, name: asked.append(name) or plain(self, name))
    with TarReader(shard) as reader:
        segments = segments_of("b/v/2", 90_000, HOPS)["hops"]
        (batch,) = read_batches([segments], reader, pinned=False)
        whole = as_float(samples_of(plain(reader, "b/v/2.wav")))
    assert asked == ["b/v/2.wav"]
    assert batch.lengths == [32_000] * 3
    for row, segment in zip(batch.waves.numpy(), segments, strict=True):
        assert np.array_equal(row, whole[segment.start : segment.start + 32_000])


def run_script(script: Path, *arguments: object) -> object:
    """Run a command line in this process, which saves loading torch again; return its exit code."""
    with mock.patch.object(sys, "argv", [str(script), *map(str, arguments)]), pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    return ended.value.code


def test_the_script_embeds_a_shard(
    shard: Path, tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file(encoder().state_dict(), tmp_path / "net.safetensors", {"arch": "ecapa_small"})
    codes = dict.fromkeys(LENGTHS, "ok") | {"e/v/absent": "audio_undecodable"}
    pd.DataFrame({"utterance": list(codes), "code": list(codes.values())}).to_parquet(tmp_path / "extracted.parquet")
    out = {k: tmp_path / f"out/000.{k}" for k in ("parquet", "segments.parquet", "status.parquet", "json")}
    segments = ["centre", {"name": "hops", "length_s": 0.5}]
    settings = Audio(checkpoint=str(tmp_path / "net.safetensors"), segments=segments)
    command = [
        repository / "workflow/scripts/embed_audio.py", "--wav", shard,
        "--extracted", tmp_path / "extracted.parquet",
        "--embeddings", out["parquet"], "--segment-embeddings", out["segments.parquet"],
        "--status", out["status.parquet"], "--provenance", out["json"], "--max-failed", 0,
        *shlex.split(flags(settings)), "--threads", 1,
    ]  # fmt: skip
    assert run_script(*command, "--device", "cpu") == 0
    assert read_embeddings(out["parquet"])[0] == list(LENGTHS)
    assert '"device": "cpu"' in out["json"].read_text()
    assert read_table(out["segments.parquet"])["segmentation"].value_counts().to_dict() == {"hops": 12, "centre": 5}
    assert run_script(*command, "--device", "cuda:9") == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: device 'cuda:9': not available")


def test_embeddings_that_are_killed_in_the_writing_are_the_same_when_written_again(shard: Path, tmp_path: Path) -> None:
    results, status = embed_shard(shard, ["a/v/1", "c/v/1"], encoder(), device=CPU)

    def work(out: Path) -> None:
        results.write(out / "000.parquet", out / "000.segments.parquet")
        status.write(out / "000.status.parquet")

    assert survives_kills(work, tmp_path) == 3
