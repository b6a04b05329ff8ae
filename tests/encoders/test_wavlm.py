from __future__ import annotations

import builtins
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from avsieve.encoders import load_audio_encoder
from avsieve.encoders.audio import AUDIO
from avsieve.encoders.registry import build
from avsieve.errors import ModelError

pytest.importorskip("transformers")
from avsieve.encoders.wavlm import MOST_SAMPLES, WavLMSpeaker

SMALL = {
    "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 48,
    "conv_dim": (16, 16, 16, 16, 16, 16, 16), "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip


def small(heads: int = 4) -> WavLMSpeaker:
    """Return a small network of the same make, with weights that are not all alike."""
    torch.manual_seed(0)
    network = WavLMSpeaker(heads, 10, **SMALL)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network.eval()


def test_an_embedding_does_not_depend_on_its_batch() -> None:
    network = small()
    lengths = torch.tensor([32_000, 20_123, 9_000, 800])
    # Padding that is no silence: nothing of it may come through.
    waves = torch.randn(4, 32_000) * torch.tensor([0.1, 0.5, 0.1, 1.0])[:, None]
    with torch.no_grad():
        batch = network(waves, lengths)
        alone = torch.cat([network(waves[i : i + 1, :n]) for i, n in enumerate(lengths)])
        unmasked = network(waves)
    assert torch.cosine_similarity(batch, alone).min() > 0.99999
    assert torch.allclose(batch, alone, atol=1e-4)
    assert not torch.allclose(unmasked[1:], alone[1:], atol=1e-2)


def test_layers_are_those_of_transformers_and_the_pooling_that_of_the_formulas() -> None:
    network, waves = small(), torch.randn(1, 16_000) * 0.1
    seen: list[Tensor] = []
    encoder = network.model.encoder
    hooks = [encoder.layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))]
    hooks += [layer.register_forward_hook(lambda _, __, out: seen.append(out[0].detach())) for layer in encoder.layers]
    with torch.no_grad():
        network.model(waves)
        for hook in hooks:
            hook.remove()
        layers, mask = network.layers(waves, None)
        found = network(waves)[0].double().numpy()
    assert mask is None
    assert torch.allclose(layers, torch.stack(seen), atol=1e-5)

    w = {k: v.double().numpy() for k, v in network.backend.state_dict().items()}
    x = torch.stack(seen)[:, 0].double().numpy()  # (3, frames, 24)
    k, v = (np.tensordot(np.exp(w[n]) / np.exp(w[n]).sum(), x, 1) for n in ("weights_k", "weights_v"))
    k = k @ w["cmp_linear_k.weight"].T + w["cmp_linear_k.bias"]
    v = v @ w["cmp_linear_v.weight"].T + w["cmp_linear_v.bias"]
    heads = []
    for h in range(4):
        score = np.exp(k @ w["att_head.weight"][h] + w["att_head.bias"][h])
        heads.append((score / score.sum()) @ v)
    expected = w["pooling_fc.weight"] @ np.concatenate(heads) + w["pooling_fc.bias"]
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def as_original(name: str) -> str:
    """Return the original WavLM's name of one of transformers' parameters."""
    fixed = {
        "masked_spec_embed": "mask_emb",
        "feature_projection.projection": "post_extract_proj",
        "feature_projection.layer_norm": "layer_norm",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original0": "encoder.pos_conv.0.weight_g",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original1": "encoder.pos_conv.0.weight_v",
        "encoder.pos_conv_embed.conv.bias": "encoder.pos_conv.0.bias",
    }
    for theirs, original in fixed.items():
        if name.startswith(theirs):
            return original + name[len(theirs) :]
    name = re.sub(r"conv_layers\.(\d)\.conv\.", r"conv_layers.\1.0.", name)
    name = name.replace("conv_layers.0.layer_norm.", "conv_layers.0.2.")
    name = re.sub(r"(layers\.\d+)\.layer_norm", r"\1.self_attn_layer_norm", name)
    for theirs, original in {
        "attention.gru_rel_pos_const": "self_attn.grep_a",
        "attention.gru_rel_pos_linear": "self_attn.grep_linear",
        "attention.rel_attn_embed": "self_attn.relative_attention_bias",
        "attention.": "self_attn.",
        "feed_forward.intermediate_dense": "fc1",
        "feed_forward.output_dense": "fc2",
    }.items():
        if theirs in name:
            return name.replace(theirs, original)
    return name


@pytest.mark.parametrize(
    ("before", "pooling", "heads"),
    [("", "backend", 4), ("__S__.", "backend", 8), ("audio_vis_model.speaker_extractor_model.", "back_end", 4)],
)
def test_the_published_layouts_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, pooling: str, heads: int
) -> None:
    monkeypatch.setattr("avsieve.encoders.wavlm.wavlm_mhfa", small)  # 4 heads, whatever the file has
    trained = small(heads)
    state = {f"{before}model.{as_original(k)}": v for k, v in trained.model.state_dict().items()}
    assert f"{before}model.encoder.layers.1.self_attn.grep_a" in state
    state |= {f"{before}{pooling}.{k}": v for k, v in trained.backend.state_dict().items()}
    state |= {"__L__.weight": torch.zeros(2), "loss_fc.weight": torch.zeros(2), "projection.weight": torch.zeros(2)}
    torch.save(state, tmp_path / "original.pt")
    loaded = load_audio_encoder("wavlm_mhfa", tmp_path / "original.pt")
    waves = torch.randn(2, 8000)
    with torch.no_grad():
        assert torch.equal(loaded(waves), trained(waves))


def test_our_own_names_load_and_missing_ones_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avsieve.encoders.wavlm.wavlm_mhfa", small)
    state = small().state_dict()
    torch.save(state, tmp_path / "ours.pt")
    load_audio_encoder("wavlm_mhfa", tmp_path / "ours.pt")
    del state["model.encoder.layers.1.attention.k_proj.weight"], state["backend.weights_k"]
    torch.save(state, tmp_path / "less.pt")
    with pytest.raises(ModelError, match=r"2 missing: .*k_proj\.weight.*weights_k|2 missing: .*weights_k"):
        load_audio_encoder("wavlm_mhfa", tmp_path / "less.pt")


def test_the_number_of_weights_is_the_published_one() -> None:
    with torch.device("meta"):
        network = build(AUDIO, "wavlm_mhfa")
    counts = {n: sum(p.numel() for p in m.parameters()) for n, m in network.named_children()}
    # WavLM Base+: 94.4 M. MHFA: two sums of 13, two layers 768 -> 128, 128 -> 64, and 64 * 128 -> 256.
    assert counts == {"model": 94_381_936, "backend": 26 + 2 * 98_432 + 8_256 + 2_097_408}


def test_only_the_first_twenty_seconds_are_used() -> None:
    network, waves = small(), torch.randn(1, MOST_SAMPLES + 999)
    assert network.used_samples(MOST_SAMPLES + 999) == MOST_SAMPLES
    with torch.no_grad():
        assert torch.equal(network(waves), network(waves[:, :MOST_SAMPLES]))


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "transformers":
            raise ImportError("No module named 'transformers'")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModelError, match=r"pip install 'avsieve\[wavlm\]'"):
        WavLMSpeaker()
