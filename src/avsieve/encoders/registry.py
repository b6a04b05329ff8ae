"""The encoders by name: ``audio.arch``, ``visual.arch``, and the architectures that trainings take.

To add one, write the module of its network and an entry here. Nothing heavy is imported, and an edit of these tables
reruns nothing: the rules hash the modules of the encoder that is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from avsieve.encoders.contract import Architecture
from avsieve.encoders.layers import (
    Layer,
    chosen,
    ecapa_layers,
    inception_layers,
    iresnet_layers,
    mobileface_layers,
    rawnet2_layers,
    wavlm_layers,
)
from avsieve.errors import ConfigError
from avsieve.registry import Registry

if TYPE_CHECKING:
    from torch import nn

_speaker = partial(Architecture, loads="avsieve.encoders.audio:load_network", examines="avsieve.encoders.audio:examine")
_face = partial(Architecture, loads="avsieve.encoders.torch_face:load", examines="avsieve.encoders.torch_face:examine")
_ECAPA = (
    "the project TaoRuijie/AVCleanse names checkpoints of its ECAPA-TDNN, or train one (`snakemake train_encoders`)"
)
_IRESNET = "the projects arcface_torch (InsightFace) and TaoRuijie/AVCleanse name checkpoints of IResNets"
_FACENET = "the project facenet-pytorch publishes its weights"

AUDIO: Registry[Architecture] = Registry(
    "audio architecture",
    {
        "ecapa_small": _speaker(
            "small, for the embedded corpus",
            network="avsieve.encoders.ecapa:ecapa_small",
            origin=_ECAPA,
            states=ecapa_layers(128, 192),
        ),
        "ecapa512": _speaker(
            "ECAPA-TDNN with 512 channels",
            network="avsieve.encoders.ecapa:ecapa512",
            origin=_ECAPA,
            states=ecapa_layers(512, 1536),
        ),
        "ecapa1024": _speaker(
            "ECAPA-TDNN with 1024 channels",
            network="avsieve.encoders.ecapa:ecapa1024",
            origin=_ECAPA,
            states=ecapa_layers(1024, 1536),
        ),
        "rawnet2": _speaker(
            "RawNet2",
            network="avsieve.encoders.rawnet2:rawnet2",
            origin="the project Jungjee/RawNet publishes its weights",
            states=rawnet2_layers(),
        ),
        "wavlm_mhfa": _speaker(
            "WavLM Base+ with MHFA",
            network="avsieve.encoders.wavlm:wavlm_mhfa",
            origin="the published WavLM-MHFA trainers give checkpoints of this layout",
            environment="wavlm",
            extra="wavlm",
            states=wavlm_layers(),
        ),
        "onnx": Architecture(
            "any ONNX speaker encoder",
            loads="avsieve.encoders.onnx_audio:load",
            examines="avsieve.encoders.onnx_audio:examine",
            origin="WeSpeaker and 3D-Speaker publish their speaker encoders as ONNX files",
            environment="speech-onnx",
            packages=("torch", "onnxruntime"),
            has_precision=False,
        ),
    },
)
"""Speaker encoders: (B, samples) float32 at 16 kHz -> (B, dim) float32."""

VISUAL: Registry[Architecture] = Registry(
    "visual architecture",
    {
        "onnx": Architecture(
            "InsightFace's ONNX files",
            loads="avsieve.encoders.onnx_face:load",
            examines="avsieve.encoders.examination:examine_onnx",
            origin="",
            environment="faces",
            packages=("insightface", "onnxruntime"),
            has_precision=False,
        ),
        "iresnet18": _face(
            "IResNet-18",
            network="avsieve.encoders.iresnet:iresnet18",
            origin=_IRESNET,
            states=iresnet_layers((2, 2, 2, 2)),
        ),
        "iresnet34": _face(
            "IResNet-34",
            network="avsieve.encoders.iresnet:iresnet34",
            origin=_IRESNET,
            states=iresnet_layers((3, 4, 6, 3)),
        ),
        "iresnet50": _face(
            "IResNet-50",
            network="avsieve.encoders.iresnet:iresnet50",
            origin=_IRESNET,
            states=iresnet_layers((3, 4, 14, 3)),
        ),
        "iresnet100": _face(
            "IResNet-100",
            network="avsieve.encoders.iresnet:iresnet100",
            origin=_IRESNET,
            states=iresnet_layers((3, 13, 30, 3)),
        ),
        "inception_resnet_v1": _face(
            "FaceNet, 160 pixels",
            network="avsieve.encoders.inception_resnet:inception_resnet_v1",
            origin=_FACENET,
            states=inception_layers(160),
            crop="facenet160",
        ),
        "inception_resnet_v1_whitened": _face(
            "the same, each image whitened by itself, as FaceNet's older weights and BAFFN want it",
            network="avsieve.encoders.inception_resnet:inception_resnet_v1_whitened",
            origin=_FACENET,
            states=inception_layers(160),
            crop="facenet160",
        ),
        "inception_resnet_v1_112": _face(
            "the same, trained on 112 pixels, as VUT's",
            network="avsieve.encoders.inception_resnet:inception_resnet_v1_112",
            origin=_FACENET,
            states=inception_layers(112),
            crop="box112",
        ),
        "mobileface_small": _face(
            "small, for the embedded corpus",
            network="avsieve.encoders.mobileface:mobileface_small",
            origin="`builtin` is of this architecture, or train one (`snakemake train_encoders`)",
            states=mobileface_layers(16, (32, 48, 64), 192),
        ),
    },
)
"""Face encoders: (B, 3, 112, 112) float32 in [-1, 1] -> (B, dim) float32."""


def trainable(table: Registry[Architecture]) -> list[str]:
    """Return the names of the architectures that can be trained."""
    return [name for name in table if table[name].network]


def build(table: Registry[Architecture], arch: str, **options: object) -> nn.Module:
    """Return a new network of architecture ``arch`` with untrained weights.

    Raises
    ------
    ConfigError
        If the table has no such name.
    ModelError
        If it is no network but a format of files.
    """
    return table[arch].build(**options)


def offered_states(
    table: Registry[Architecture], arch: str, only: Sequence[str] | None = None, *, key: str = ""
) -> tuple[Layer, ...]:
    """Return the inner states named ``only`` of the networks of ``arch``, all for None; no network is made.

    Parameters
    ----------
    key
        The key of the configuration that names the architecture, for the message.

    Raises
    ------
    ConfigError
        If there is no such architecture, it has no inner states, or not one of these.
    """
    offers = table[arch].states
    whose = f"{key or table.kind} {arch!r} ({table[arch].label})"
    if not offers:
        raise without_states(table, whose)
    return chosen(offers, only, whose)


def without_states(table: Registry[Architecture], whose: str) -> ConfigError:
    """Return the error that ``whose`` encoder has no inner states, with the names of those that have some."""
    having = ", ".join(name for name in table if table[name].states)
    return ConfigError(f"{whose} has no inner states; choose one that has: {having}")
