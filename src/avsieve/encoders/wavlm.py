"""WavLM Base+ with multi-head factorised attentive pooling, VUT's speaker network.

WavLM (Chen et al., "WavLM", IEEE JSTSP 2022) is that of `transformers`, built from its configuration, nothing is
downloaded; the pooling is Peng et al.'s ("An attention-based backend allowing efficient fine-tuning of transformer
models for speaker verification", SLT 2022): one softmax-weighted sum of the 13 layers' outputs for the keys and one
for the values, each compressed from 768 to 128; every head's attention over time, computed from the keys, pools all
values; the heads side by side become 256 numbers.

Three layouts of checkpoints load: transformers' names under ``model.``; and the original WavLM's under ``model.`` with
the pooling under ``backend.`` (Peng's and theolepage/wavlm_ssl_sv's trainers, ``__S__.`` before both) or ``back_end.``
(VUT's, ``speaker_extractor_model.`` before both). The number of heads is that of the file.

Padding has no influence on an embedding: besides the attention and the pooling, the first convolution needs a mask,
since its normalisation takes mean and variance of each channel over the whole utterance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from avsieve.encoders.checkpoint import strip_prefixes
from avsieve.encoders.layers import wavlm_layers
from avsieve.encoders.states import InnerStates, Kept, State
from avsieve.errors import ModelError
from avsieve.storage.wav import SAMPLE_RATE

# VUT uses the first 20 s of an utterance; the attention's memory grows with the square of what is used.
MOST_SAMPLES = 20 * SAMPLE_RATE
_POSITIONS = "encoder.pos_conv_embed.conv."
# Original name -> transformers' name, of whatever follows `model.`; the first pattern that fits counts.
_NAMES = [
    (r"^mask_emb$", "masked_spec_embed"),
    (r"^post_extract_proj\.", "feature_projection.projection."),
    (r"^layer_norm\.", "feature_projection.layer_norm."),
    (r"^feature_extractor\.conv_layers\.(\d+)\.0\.", r"feature_extractor.conv_layers.\1.conv."),
    (r"^feature_extractor\.conv_layers\.0\.2\.", "feature_extractor.conv_layers.0.layer_norm."),
    (r"^encoder\.pos_conv(?:\.0|_embed\.conv)\.weight_g$", _POSITIONS + "parametrizations.weight.original0"),
    (r"^encoder\.pos_conv(?:\.0|_embed\.conv)\.weight_v$", _POSITIONS + "parametrizations.weight.original1"),
    (r"^encoder\.pos_conv\.0\.", _POSITIONS),
    (r"^(encoder\.layers\.\d+)\.self_attn\.grep_a$", r"\1.attention.gru_rel_pos_const"),
    (r"^(encoder\.layers\.\d+)\.self_attn\.grep_linear\.", r"\1.attention.gru_rel_pos_linear."),
    (r"^(encoder\.layers\.\d+)\.self_attn\.relative_attention_bias\.", r"\1.attention.rel_attn_embed."),
    (r"^(encoder\.layers\.\d+)\.self_attn\.", r"\1.attention."),
    (r"^(encoder\.layers\.\d+)\.self_attn_layer_norm\.", r"\1.layer_norm."),
    (r"^(encoder\.layers\.\d+)\.fc1\.", r"\1.feed_forward.intermediate_dense."),
    (r"^(encoder\.layers\.\d+)\.fc2\.", r"\1.feed_forward.output_dense."),
]  # fmt: skip


class MHFA(nn.Module):
    """Multi-head factorised attentive pooling: layers (L, B, T, inputs) -> (B, outputs)."""

    def __init__(self, heads: int, layers: int = 13, inputs: int = 768, compressed: int = 128, outputs: int = 256):
        super().__init__()
        self.weights_k = nn.Parameter(torch.ones(layers))
        self.weights_v = nn.Parameter(torch.ones(layers))
        self.cmp_linear_k = nn.Linear(inputs, compressed)
        self.cmp_linear_v = nn.Linear(inputs, compressed)
        self.att_head = nn.Linear(compressed, heads)
        self.pooling_fc = nn.Linear(heads * compressed, outputs)

    def forward(self, layers: Tensor, mask: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
        """Pool over the frames where ``mask`` (B, T) is true; ``weights`` (B, T) multiply the values of the frames."""
        keys = self.cmp_linear_k(torch.einsum("lbtd,l->btd", layers, self.weights_k.softmax(0).to(layers.dtype)))
        values = self.cmp_linear_v(torch.einsum("lbtd,l->btd", layers, self.weights_v.softmax(0).to(layers.dtype)))
        if weights is not None:
            values = values * weights[..., None].to(values.dtype)
        scores = self.att_head(keys)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, :, None], float("-inf"))
        pooled = torch.einsum("bth,btd->bhd", scores.softmax(dim=1).to(values.dtype), values)
        return self.pooling_fc(pooled.flatten(1))


class WavLMSpeaker(InnerStates, nn.Module):
    """Map (B, samples) float32 at 16 kHz to (B, dim) float32 embeddings, not normalised.

    Parameters
    ----------
    heads
        Heads of the pooling.
    dim
        Length of the embedding.
    options
        Of transformers' `WavLMConfig`, whose defaults are WavLM Base+.

    Attributes
    ----------
    min_samples
        Shortest input, in samples.

    Raises
    ------
    ModelError
        If `transformers` is not installed.
    """

    min_samples = 800
    takes_lengths = True
    prefixes = ("module.", "__S__.", "audio_vis_model.", "speaker_extractor_model.")
    beside = ("__L__.", "vit_face_model.", "fusion.", "loss_fc.")

    def __init__(self, heads: int = 64, dim: int = 256, **options: Any) -> None:
        super().__init__()
        try:
            from transformers import WavLMConfig, WavLMModel
        except ImportError as error:
            raise ModelError(
                f"wavlm_mhfa: transformers cannot be imported ({error}); install it with pip install 'avsieve[wavlm]'"
            ) from error
        config = WavLMConfig(**{"layerdrop": 0.0, "apply_spec_augment": False, **options})
        if config.feat_extract_norm != "group" or config.do_stable_layer_norm:
            raise ModelError("wavlm_mhfa: only WavLM Base and Base+ (group normalisation) are built here")
        self.dim = dim
        self.offers = wavlm_layers(config.num_hidden_layers, config.hidden_size)
        self.model = WavLMModel(config)
        self.backend = MHFA(heads, config.num_hidden_layers + 1, config.hidden_size, outputs=dim)

    @staticmethod
    def used_samples(samples: int) -> int:
        """Return how many of an utterance's first samples are used."""
        return min(samples, MOST_SAMPLES)

    def forward(self, waves: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embed the first 20 s of utterances.

        Parameters
        ----------
        waves
            (B, samples) float32 at 16 kHz, at least `min_samples`.
        lengths
            (B,) int64 valid samples per row; padding has no influence. None takes every row whole.
        """
        layers, mask = self.layers(*_used(waves, lengths))
        return self.backend(layers, mask)

    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return embeddings and inner states of the first 20 s; see `InnerStates.forward_states`."""
        kept = Kept(self, only)
        layers, mask = self.layers(*_used(inputs, lengths))
        for offered, values in zip(self.offers, layers, strict=True):
            kept(offered.name, values)
        exist = torch.ones(layers.shape[1:3], dtype=torch.bool, device=layers.device) if mask is None else mask
        return self.backend(layers, mask), kept.frames(lambda *_: exist, padded=mask is not None)

    def layers(self, waves: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return what enters the transformer and what each layer returns (L, B, T, D), and the mask (B, T) or None."""
        features, counts = self._convolve(waves, lengths)
        hidden, _ = self.model.feature_projection(features.transpose(1, 2))
        mask = None
        if counts is not None:
            mask = torch.arange(hidden.shape[1], device=hidden.device)[None] < counts[:, None]
            hidden = hidden * mask[:, :, None]
        encoder = self.model.encoder
        hidden = encoder.dropout(encoder.layer_norm(hidden + encoder.pos_conv_embed(hidden)))
        every, bias = [hidden], None
        for number, layer in enumerate(encoder.layers):
            hidden, bias = layer(hidden, attention_mask=mask, position_bias=bias, index=number)[:2]
            every.append(hidden)
        return torch.stack(every), mask

    def _convolve(self, waves: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the features (B, C, T) and, where ``lengths`` are given, the valid frames of each row."""
        x, counts = waves[:, None], lengths
        for number, layer in enumerate(self.model.feature_extractor.conv_layers):
            if counts is None:
                x = layer(x)
                continue
            conv = layer.conv
            counts = torch.div(counts - conv.kernel_size[0], conv.stride[0], rounding_mode="floor") + 1
            x = conv(x)
            if number == 0:
                x = _normalise(x, counts, layer.layer_norm)
            x = layer.activation(x)
        return x, counts

    def adapt_state(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return a checkpoint of any of the three layouts under the names of this class, and take its heads."""
        found: dict[str, Tensor] = {}
        for name, short in strip_prefixes(state, self.prefixes).items():
            part, _, rest = short.partition(".")
            if part == "model":
                for pattern, ours in _NAMES:
                    rest, changed = re.subn(pattern, ours, rest)
                    if changed:
                        break
            new = f"{'backend' if part == 'back_end' else part}.{rest}" if rest else short
            found[new] = state[name]
        # Never used where nothing is masked on purpose; some files leave it out.
        found.setdefault("model.masked_spec_embed", torch.zeros(self.model.config.hidden_size))
        scores = found.get("backend.att_head.weight")
        if scores is not None and scores.ndim == 2 and len(scores) != self.backend.att_head.out_features:
            old = self.backend
            inputs, compressed = old.cmp_linear_k.in_features, old.cmp_linear_k.out_features
            self.backend = MHFA(len(scores), len(old.weights_k), inputs, compressed, self.dim)
        return found


def _used(waves: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return the first 20 s of utterances, and how many of their samples are valid."""
    return waves[:, :MOST_SAMPLES], None if lengths is None else lengths.clamp(max=MOST_SAMPLES)


def _normalise(x: Tensor, counts: Tensor, norm: nn.Module) -> Tensor:
    """Normalise each channel of ``x`` (B, C, T) over its first ``counts`` frames, where the layer takes all."""
    assert isinstance(norm, nn.GroupNorm)
    with torch.autocast(x.device.type, enabled=False):
        kind, x = x.dtype, x.float()
        valid = (torch.arange(x.shape[2], device=x.device)[None] < counts[:, None])[:, None]
        frames = counts[:, None, None]
        mean = (x * valid).sum(dim=2, keepdim=True) / frames
        variance = ((x - mean).square() * valid).sum(dim=2, keepdim=True) / frames
        scaled = (x - mean) / (variance + norm.eps).sqrt()
        return (scaled * norm.weight[:, None] + norm.bias[:, None]).to(kind)


def wavlm_mhfa() -> WavLMSpeaker:
    """Return WavLM Base+ with MHFA of 64 heads, 256-d: 96.7 M parameters."""
    return WavLMSpeaker()
