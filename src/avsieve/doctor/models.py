"""The models that a run loads: is each there, is it what its key wants, and where does one get it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.doctor.device import Devices

BUILTIN = "builtin"
TERMS = "InsightFace's models are for non-commercial research only"
AUDIO_FROM = {
    "onnx": "WeSpeaker and 3D-Speaker publish their speaker encoders as ONNX files",
    "rawnet2": "the project Jungjee/RawNet publishes its weights",
    "wavlm_mhfa": "the published WavLM-MHFA trainers give checkpoints of this layout",
}
ECAPA_FROM = (
    "the project TaoRuijie/AVCleanse names checkpoints of its ECAPA-TDNN, or train one (`snakemake train_encoders`)"
)
VISUAL_FROM = {
    "inception_resnet_v1": "the project facenet-pytorch publishes its weights",
    "mobileface_small": "`builtin` is of this architecture, or train one (`snakemake train_encoders`)",
}
IRESNET_FROM = "the projects arcface_torch (InsightFace) and TaoRuijie/AVCleanse name checkpoints of IResNets"


def check_models(config: Config, devices: Devices) -> list[Finding]:
    """Look at detector, face model and audio checkpoint."""
    source = config.source.contract
    if not source.has_media:
        return [Finding("ok", "models", "none is needed: the source brings embeddings")]
    findings = _audio(config)
    if "visual" in source.modalities:
        findings = [*([] if source.aligned else _detector(config)), *_visual(config), *findings]
    return [*findings, *_precisions(config, devices)]


def _file_text(path: Path) -> str:
    """Return a file's name and size, and its folder where the user named it."""
    where = path.name if path.parent.name == "models" and path.parent.parent.name == "avsieve" else str(path)
    return f"{where}, {path.stat().st_size / 1e6:.1f} MB"


def _shipped(config: Config, key: str, value: str, knows: str) -> list[Finding]:
    """Warn of a shipped model on data that it does not know."""
    if value != BUILTIN or config.source.contract.made_up:
        return []
    return [
        Finding(
            "warning", key,
            f"builtin was trained on made-up people for the embedded corpus: it knows no real {knows}",
            f"name a model in {key}",
        )
    ]  # fmt: skip


def pack_remedy(name: str) -> str:
    """Return how to get an InsightFace pack, or what else to name."""
    if Path(name).suffix or "/" in name:
        return "mend the path, or name an InsightFace pack such as buffalo_l"
    return (
        f"""python -c "from insightface.app import FaceAnalysis; FaceAnalysis('{name}')" downloads the pack """
        f"to ~/.insightface/models ({TERMS})"
    )


def _detector(config: Config) -> list[Finding]:
    faces, key = config.faces, "faces.detector"
    findings = _shipped(config, key, faces.detector, "face")
    size = faces.detector_size
    if size != "auto" and size % 32:
        below = size // 32 * 32
        findings.append(
            Finding("error", "faces.detector_size", f"{size}; expected a multiple of 32",
                    f"set it to {below} or {below + 32}")
        )  # fmt: skip
    if find_spec("onnx") is None:
        return [*findings, Finding("note", key, "not looked at: the package onnx is not installed")]
    from avsieve.onnx_runtime.dynamic import fixed_size
    from avsieve.onnx_runtime.shipped import read_onnx, resolve_model

    try:
        path = resolve_model(faces.detector, "detector")
        graph = read_onnx(path)
    except AvsieveError as error:
        return [*findings, Finding("error", key, str(error), pack_remedy(faces.detector))]
    outputs, fixed = len(graph.graph.output), fixed_size(graph)
    if outputs != 9:
        return [
            *findings,
            Finding("error", key, f"{path}: {outputs} outputs; expected the 9 of an SCRFD detector with landmarks",
                    "name det_500m, det_2.5g or det_10g of an InsightFace pack"),
        ]  # fmt: skip
    findings.append(Finding("ok", key, _file_text(path)))
    if fixed is not None and fixed != (size, size):
        asked = "the frames' size" if size == "auto" else f"{size} x {size}"
        text = f"its input is fixed at {fixed[0]} x {fixed[1]}; a copy is made dynamic and runs at {asked}"
        findings.append(Finding("note", key, text))
    return findings + _landmarks(faces.landmarks)


def _landmarks(name: str) -> list[Finding]:
    from avsieve.onnx_runtime.shipped import resolve_model

    if name == "none":
        return []
    try:
        return [Finding("ok", "faces.landmarks", _file_text(resolve_model(name, "landmarks")))]
    except AvsieveError as error:
        return [Finding("error", "faces.landmarks", str(error), pack_remedy(name))]


def _visual(config: Config) -> list[Finding]:
    visual, key = config.visual, "visual.model"
    findings = _shipped(config, key, visual.model, "face")
    if visual.arch == "onnx":
        if visual.precision != "fp32":
            findings.append(
                Finding(
                    "error", "visual.precision", f"{visual.precision} has no effect on an ONNX file", "set it to fp32"
                )
            )
        if find_spec("onnx") is None:
            return [*findings, Finding("note", key, "not looked at: the package onnx is not installed")]
        from avsieve.onnx_runtime.shipped import read_onnx, resolve_model

        try:
            path = resolve_model(visual.model, "recognition")
            graph = read_onnx(path).graph
        except AvsieveError as error:
            return [*findings, Finding("error", key, str(error), pack_remedy(visual.model))]
        sides = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[2:4]]
        if sides != [112, 112] or len(graph.output) != 1:
            text = f"{path}: input {sides}, {len(graph.output)} outputs; expected a recognition model of 112 x 112"
            return [*findings, Finding("error", key, text, "name w600k_r50, glintr100 or another ArcFace model")]
        return [*findings, Finding("ok", key, _file_text(path))]
    if find_spec("torch") is None:
        return [*findings, Finding("note", key, "not looked at: torch is not installed")]
    from avsieve.encoders.checkpoint import resolve
    from avsieve.encoders.visual import BUILTIN_FILE, load_visual_encoder

    remedy = VISUAL_FROM.get(visual.arch.removesuffix("_112"), IRESNET_FROM)
    try:
        network = load_visual_encoder(visual.arch, visual.model)
        path = resolve(visual.model, BUILTIN_FILE)
    except AvsieveError as error:
        return [*findings, Finding("error", key, str(error), remedy)]
    if visual.channels == "auto" and not network.channels:
        text = f"{path} does not say whether it was trained on RGB or BGR faces"
        return [*findings, Finding("error", "visual.channels", text, "set visual.channels to rgb or bgr")]
    return [*findings, Finding("ok", key, f"{_file_text(path)}, fits {visual.arch}")]


def _audio(config: Config) -> list[Finding]:
    audio, key = config.audio, "audio.checkpoint"
    findings = _shipped(config, key, audio.checkpoint, "voice")
    remedy = AUDIO_FROM.get(audio.arch, ECAPA_FROM)
    if audio.arch == "onnx" and audio.precision != "fp32":
        findings.append(
            Finding("error", "audio.precision", f"{audio.precision} has no effect on an ONNX file", "set it to fp32")
        )
    if find_spec("torch") is None:
        return [*findings, Finding("note", key, "not looked at: torch is not installed")]
    from avsieve.encoders.audio import BUILTIN_FILE, load_audio_encoder
    from avsieve.encoders.checkpoint import resolve

    try:
        load_audio_encoder(audio.arch, audio.checkpoint, features=audio.features)
        path = resolve(audio.checkpoint, BUILTIN_FILE)
    except AvsieveError as error:
        return [*findings, Finding("error", key, str(error), remedy)]
    except (ImportError, OSError) as error:
        return [*findings, Finding("error", "audio.arch", f"{audio.arch} needs a package: {error}",
                                   "pip install 'avsieve[wavlm]'")]  # fmt: skip
    return [*findings, Finding("ok", key, f"{_file_text(path)}, fits {audio.arch}")]


def _precisions(config: Config, devices: Devices) -> list[Finding]:
    """Warn of half precision where it is no gain."""
    if devices.torch == "cuda":
        return []
    pairs = [
        ("audio", config.audio.arch, config.audio.precision),
        ("visual", config.visual.arch, config.visual.precision),
    ]
    return [
        Finding("warning", f"{name}.precision", f"{precision} on a CPU is slower than fp32", "set it to fp32")
        for name, arch, precision in pairs
        if precision != "fp32" and arch != "onnx"
    ]
