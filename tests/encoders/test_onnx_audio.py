from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.encoders import load_audio_encoder
from avsieve.encoders.embed_audio import embed_shard as embed
from avsieve.encoders.kaldi_fbank import RECIPES, FbankRecipe, KaldiFbank
from avsieve.encoders.onnx_audio import OnnxSpeaker
from avsieve.errors import ConfigError, ModelError
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.wav import wav_bytes

embed_shard = functools.partial(embed, batch_s=60.0, precision="fp32")
WAVES = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (3, 16_000)).astype(np.float32))


def speaker_file(
    path: Path,
    shape: list[int | str],
    *,
    outputs: tuple[str, ...] = ("embs",),
    metadata: dict[str, str] | None = None,
    second_input: bool = False,
) -> Path:
    """Write a model that returns the maximum over time of each band, or of the waveform."""
    time = 1 if len(shape) == 3 and shape[2] != "T" else len(shape) - 1
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [time])
    nodes = [helper.make_node("ReduceMax", ["feats", "axes"], ["peak"], keepdims=int(len(shape) == 2))]
    nodes += [helper.make_node("Identity", ["peak"], [name]) for name in outputs]
    inputs = [helper.make_tensor_value_info("feats", TensorProto.FLOAT, shape)]
    if second_input:
        inputs.append(helper.make_tensor_value_info("length", TensorProto.FLOAT, ["B"]))
    declared = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [shape[0], "dim"]) for n in outputs]
    graph = helper.make_graph(nodes, "speaker", inputs, declared, [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, str(path))
    return path


def expected(recipe: FbankRecipe) -> torch.Tensor:
    return KaldiFbank(recipe)(WAVES).amax(dim=1)


def test_a_wespeaker_export_is_fed_with_its_features(tmp_path: Path) -> None:
    encoder = load_audio_encoder("onnx", speaker_file(tmp_path / "voxceleb.onnx", ["B", "T", 80]))
    assert isinstance(encoder, OnnxSpeaker)
    assert encoder.dim == 80
    assert encoder.provider == "CPUExecutionProvider"
    assert torch.allclose(encoder(WAVES), expected(RECIPES["wespeaker"]))


@pytest.mark.parametrize(
    ("metadata", "recipe"),
    [
        ({"framework": "wespeaker", "feature_normalize_type": "", "normalize_samples": "0"}, FbankRecipe()),
        ({"framework": "3d-speaker", "feature_normalize_type": "global-mean", "normalize_samples": "1"},
         FbankRecipe("povey", 1.0)),
    ],
)  # fmt: skip
def test_metadata_say_how_the_features_are_computed(
    tmp_path: Path, metadata: dict[str, str], recipe: FbankRecipe
) -> None:
    encoder = OnnxSpeaker(speaker_file(tmp_path / "m.onnx", ["B", "T", 80], metadata=metadata))
    assert torch.allclose(encoder(WAVES), expected(recipe))


def test_the_setting_goes_before_the_metadata(tmp_path: Path) -> None:
    path = speaker_file(tmp_path / "m.onnx", ["B", "T", 80], metadata={"framework": "my own"})
    with pytest.raises(ModelError, match=r"framework 'my own'; expected one of wespeaker, 3d-speaker"):
        OnnxSpeaker(path)
    assert torch.allclose(OnnxSpeaker(path, features="3dspeaker")(WAVES), expected(RECIPES["3dspeaker"]))


@pytest.mark.parametrize("shape", [["B", "T"], [1, "T"], ["B", 1, "T"]])
def test_a_network_on_waveforms_gets_them_as_they_are(tmp_path: Path, shape: list[int | str]) -> None:
    encoder = OnnxSpeaker(speaker_file(tmp_path / "wave.onnx", shape))
    assert torch.equal(encoder(WAVES), WAVES.amax(dim=1, keepdim=True))


@pytest.mark.parametrize(
    ("shape", "options", "told"),
    [
        (["B", 80, "T"], {}, "does not fit audio.features 'auto'"),
        (["B", "T"], {"features": "wespeaker"}, "does not fit audio.features 'wespeaker'"),
        (["B", 200, 80], {}, "fixes the time"),
        ([4, "T", 80], {}, "fixes the batch to 4"),
    ],
)
def test_an_input_that_cannot_be_fed_is_told(
    tmp_path: Path, shape: list[int | str], options: dict[str, str], told: str
) -> None:
    with pytest.raises(ModelError, match=told):
        OnnxSpeaker(speaker_file(tmp_path / "m.onnx", shape), **options)


def test_other_inputs_and_outputs_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected one of float32"):
        OnnxSpeaker(speaker_file(tmp_path / "a.onnx", ["B", "T"], second_input=True))
    with pytest.raises(ModelError, match="or one of them called embs"):
        OnnxSpeaker(speaker_file(tmp_path / "b.onnx", ["B", "T"], outputs=("x", "y")))
    (tmp_path / "c.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"c\.onnx: not an ONNX file"):
        load_audio_encoder("onnx", tmp_path / "c.onnx")
    with pytest.raises(ModelError, match="no such ONNX file"):
        load_audio_encoder("onnx", "builtin")
    with pytest.raises(ModelError, match="has features of its own"):
        load_audio_encoder("ecapa_small", "builtin", features="wave")


def test_a_device_that_is_absent_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match="expected CUDAExecutionProvider"):
        OnnxSpeaker(speaker_file(tmp_path / "m.onnx", ["B", "T"]), device="cuda")


def test_a_shard_is_embedded_in_batches_of_equal_frames(tmp_path: Path) -> None:
    lengths = {"a/v/1": 16_000, "a/v/2": 16_079, "b/v/1": 16_080, "b/v/2": 32_000}
    rng = np.random.default_rng(1)
    waves = {u: rng.normal(0, 3000, n).astype(np.int16) for u, n in lengths.items()}
    with TarWriter(tmp_path / "0.wav.tar") as writer:
        for utterance, samples in waves.items():
            writer.add(utterance, f"{utterance}.wav", wav_bytes(samples))
    encoder = OnnxSpeaker(speaker_file(tmp_path / "m.onnx", ["B", "T", 80]))
    seen: list[tuple[int, ...]] = []
    encoder.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    results, _ = embed_shard(tmp_path / "0.wav.tar", list(lengths), encoder, device=torch.device("cpu"))
    # 16,000 and 16,079 samples hold 98 frames, 16,080 hold 99.
    assert sorted(seen) == [(1, 16_080), (1, 31_920), (2, 15_920)]
    for utterance, found in zip(results.utterances, results.vectors, strict=True):
        alone = encoder(torch.from_numpy(waves[utterance].astype(np.float32) / 32_768)[None])[0].numpy()
        assert np.allclose(found, alone, atol=1e-4)
    results.write(tmp_path / "e.parquet", tmp_path / "s.parquet")
    assert read_embeddings(tmp_path / "e.parquet")[1].shape == (4, 80)
    with pytest.raises(ConfigError, match="no effect on an ONNX file"):
        embed_shard(tmp_path / "0.wav.tar", list(lengths), encoder, device=torch.device("cpu"), precision="fp16")


@pytest.mark.gpu
@pytest.mark.skipif("CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="no CUDA here")
def test_cuda_gives_what_the_cpu_gives(tmp_path: Path) -> None:
    path = speaker_file(tmp_path / "m.onnx", ["B", "T", 80])
    encoder = OnnxSpeaker(path, device="cuda")
    assert encoder.provider == "CUDAExecutionProvider"
    assert torch.allclose(encoder(WAVES.cuda()).cpu(), OnnxSpeaker(path)(WAVES), atol=1e-3)
