"""The models that a run loads: is each there, is it what its key wants, and where does one get it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Audio, Config, Visual
    from avsieve.doctor.device import Devices
    from avsieve.encoders.contract import Architecture

BUILTIN = "builtin"
TERMS = "InsightFace's models are for non-commercial research only"


def check_models(config: Config, devices: Devices) -> list[Finding]:
    """Look at detector, face model and audio checkpoint."""
    source = config.source.contract
    if not source.has_media:
        return [Finding("ok", "models", "none is needed: the source brings embeddings")]
    findings = _audio(config)
    if "visual" in source.modalities:
        findings = [*([] if source.aligned else _detector(config)), *_visual(config), *findings]
        findings += _trained_crop(config)
    return [*findings, *_precisions(config, devices)]


def _trained_crop(config: Config) -> list[Finding]:
    """Warn of a training of face encoders whose crops are not written; the run itself does without them."""
    lacking = config.lacking_crop("training.visual")
    if lacking is None:
        return []
    text, _, remedy = lacking.partition(": ")
    return [Finding("warning", "training.visual.crop", f"{text}; train_visual stops", remedy)]


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
            "builtin was trained on synthetic people for the embedded corpus: it has never seen or heard a real "
            f"{knows}",
            f"name a model in {key}",
        )
    ]  # fmt: skip


def pack_remedy(name: str) -> str:
    """Return how to get an InsightFace pack, or what else to name."""
    if Path(name).suffix or "/" in name:
        return "fix the path, or name an InsightFace pack such as buffalo_l"
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
        return [*findings, Finding("note", key, "not checked: the package onnx is not installed")]
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
    architecture = VISUAL[visual.arch]
    findings = [*_shipped(config, key, visual.model, "face"), *_useless(architecture, "visual.precision", visual)]
    remedy = architecture.origin or pack_remedy(visual.model)
    return [*findings, *_weights(architecture, key, visual, remedy)]


def _audio(config: Config) -> list[Finding]:
    audio, key = config.audio, "audio.checkpoint"
    architecture = AUDIO[audio.arch]
    findings = [*_shipped(config, key, audio.checkpoint, "voice"), *_useless(architecture, "audio.precision", audio)]
    return [*findings, *_weights(architecture, key, audio, architecture.origin)]


def _useless(architecture: Architecture, key: str, settings: Audio | Visual) -> list[Finding]:
    try:
        architecture.check_precision(key, settings.precision)
    except AvsieveError:
        text = f"{settings.precision} has no effect on {architecture.label}"
        return [Finding("error", key, text, "set it to fp32")]
    return []


def _weights(architecture: Architecture, key: str, settings: Audio | Visual, remedy: str) -> list[Finding]:
    """Look at the weights that a key names."""
    reader = "torch" if architecture.network or key.startswith("audio.") else "onnx"
    if find_spec(reader) is None:
        return [Finding("note", key, f"not looked at: the package {reader} is not installed")]
    try:
        path, problem = architecture.examine(settings)
    except AvsieveError as error:
        return [Finding("error", key, str(error), remedy)]
    except (ImportError, OSError) as error:
        arch_key = f"{key.partition('.')[0]}.arch"
        package = (getattr(error, "name", None) or "").partition(".")[0]
        needed = f"install the package that brings {package}" if package else ""
        if architecture.extra:
            needed = f"pip install 'avsieve[{architecture.extra}]'"
        return [Finding("error", arch_key, f"{settings.arch} needs a package: {error}", needed)]
    if problem is not None:
        about = f"{key.partition('.')[0]}.{problem.key}" if problem.key else key
        return [Finding("error", about, problem.text, problem.remedy)]
    fits = f", fits {settings.arch}" if architecture.network or key.startswith("audio.") else ""
    return [Finding("ok", key, "" if path is None else f"{_file_text(path)}{fits}")]


def _precisions(config: Config, devices: Devices) -> list[Finding]:
    """Warn of half precision where it is no gain."""
    if devices.torch == "cuda":
        return []
    pairs = [
        ("audio", AUDIO[config.audio.arch], config.audio.precision),
        ("visual", VISUAL[config.visual.arch], config.visual.precision),
    ]
    return [
        Finding("warning", f"{name}.precision", f"{precision} on a CPU is slower than fp32", "set it to fp32")
        for name, architecture, precision in pairs
        if precision != "fp32" and architecture.has_precision
    ]
