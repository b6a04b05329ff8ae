"""How long one unit of work takes a core, and how many bytes it leaves: measured elsewhere, and on this very run.

The shipped figures are those of docs/benchmarks.md, of 2 cores of an AMD EPYC with nothing else to do: H.264 clips of
224 px and 25 fps. Networks that nobody timed there are scaled by their multiplications from one that was.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.errors import AvsieveError
from avsieve.storage import paths as P
from avsieve.storage.crops import ALIGNED, CROPS
from avsieve.storage.stale_shards import current

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.encoders.settings import Audio

SHIPPED = "one core of an AMD EPYC"
SCALED = f"{SHIPPED}, scaled by the network's size"
# Jobs that were shorter tell how long packages take to import.
LEAST_JOB_S = 20.0
RESULTS = Path(P.RESULTS)


@dataclass(frozen=True)
class Rate:
    """Seconds of a core for one unit of a stage's work, and where the figure is from."""

    core_s: float
    origin: str


# Seconds of a core for each second of clip.
RENDER = Rate(0.09, SHIPPED)
EXTRACT = Rate(0.0031, SHIPPED)
# Seconds of a core for each clip: its header is read.
PROBE = Rate(0.003, SHIPPED)
# Frame to aligned face, beside the detector: JPEG decoded, warped, encoded.
ALIGN_REST_S = 0.0008
# Detectors at 224 px, seconds of a core an image; by what their file names hold. Others are taken for the largest.
DETECTORS = {"detector.onnx": (0.0009, False), "500m": (0.0015, False), "2.5g": (0.0057, False)}
LARGEST_DETECTOR = (0.023, True)
# Voices: seconds of a core for each second of sound.
VOICES = {
    "ecapa_small": (0.0012, False), "ecapa512": (0.0114, False), "ecapa1024": (0.029, True),
    "rawnet2": (0.03, True), "wavlm_mhfa": (0.09, True), "onnx": (0.02, True),
}  # fmt: skip
# Faces: seconds of a core for each face; ONNX files by their size in MB.
FACES = {
    "mobileface_small": (0.0008, False), "iresnet18": (0.041, False), "iresnet34": (0.07, True),
    "iresnet50": (0.1, True), "iresnet100": (0.19, True), "inception_resnet_v1": (0.09, True),
    "inception_resnet_v1_112": (0.045, True), "inception_resnet_v1_whitened": (0.09, True),
}  # fmt: skip
FACE_FILES = ((5, (0.0005, False)), (20, (0.005, True)), (110, (0.04, False)), (200, (0.1, True)))
LARGEST_FACE_FILE = (0.19, True)

# Bytes that each unit leaves.
FRAME_BYTES = 14_000  # 224 px, JPEG quality 95
FACE_BYTES = 6_000  # 112 px, JPEG quality 95, with its row of detections
WAV_BYTES_A_SECOND = 32_000
CLIP_BYTES_A_SECOND = 15_000  # rendered ones
DIMS = {
    "ecapa_small": 192, "ecapa512": 192, "ecapa1024": 192, "rawnet2": 1024, "wavlm_mhfa": 256, "onnx": 256,
    "mobileface_small": 128,
}  # fmt: skip


def bytes_a_face(config: Config) -> int:
    """Return what alignment leaves of a face: its row, the aligned face, and the other crops that are asked for."""
    others = config.written_crops[1:]
    return FACE_BYTES + sum(round(FACE_BYTES * (CROPS[kind].size / CROPS[ALIGNED].size) ** 2) for kind in others)


def _rate(figure: tuple[float, bool], factor: float = 1.0, add: float = 0.0) -> Rate:
    return Rate(figure[0] * factor + add, SCALED if figure[1] or factor != 1 else SHIPPED)


def shipped_rates(config: Config, detector: Path | None, face_model: Path | None) -> dict[str, Rate]:
    """Return the rate of each stage from the figures that ship.

    Parameters
    ----------
    detector, face_model
        The files that would be loaded, where they were found.
    """
    name = detector.name.lower() if detector else ""
    found = next((figure for part, figure in DETECTORS.items() if part in name), LARGEST_DETECTOR)
    # `auto` takes the size of the frames; those of VoxCeleb2 have 224 pixels.
    size = 224 if config.faces.detector_size == "auto" else config.faces.detector_size
    area = (size / 224) ** 2
    faces = FACES.get(config.visual.arch, LARGEST_FACE_FILE)
    if config.visual.arch == "onnx" and face_model is not None:
        size_mb = face_model.stat().st_size / 1e6
        faces = next((figure for limit, figure in FACE_FILES if size_mb <= limit), LARGEST_FACE_FILE)
    return {
        "fetch": RENDER if config.source.contract.fetching == "rendered" else PROBE,
        "extract": EXTRACT,
        "align": _rate(found, area, ALIGN_REST_S),
        "embed_audio": _rate(VOICES.get(config.audio.arch, VOICES["onnx"])),
        "embed_visual": _rate(faces),
    }


RULES = {
    "fetch": "fetch_media", "extract": "extract_media", "align": "align_faces",
    "embed_audio": "embed_audio", "embed_visual": "embed_visual",
}  # fmt: skip
PROVENANCE = {
    "align": P.align.provenance,
    "embed_audio": P.of(P.embed.provenance, modality="audio"),
    "embed_visual": P.of(P.embed.provenance, modality="visual"),
}
"""What a shard was made with, for the stages whose rates depend on their models."""


def earlier_rates(config: Config, results: Path = RESULTS) -> dict[str, Rate]:
    """Return the rates of an earlier run in this folder, for the stages whose models are still the same."""
    found = {}
    for stage, rule in RULES.items():
        paths = current(P.below(results, P.BENCHMARKS).glob(f"{rule}/*.tsv"), config.shards)
        seconds = {path.stem: s for path in paths if (s := _seconds(path))}
        if not seconds or sum(seconds.values()) / len(seconds) < LEAST_JOB_S or not _same(config, stage, results):
            continue
        work = {shard: units for shard in seconds if (units := _units(config, stage, results, shard))}
        if work:
            core_s = sum(seconds[shard] for shard in work) / sum(work.values())
            found[stage] = Rate(core_s, f"an earlier run here, {len(work)} shard{'s' * (len(work) != 1)}")
    return found


def _seconds(path: Path) -> float | None:
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            row = next(csv.DictReader(handle, delimiter="\t"))
            return float(row["s"])
    except (OSError, StopIteration, KeyError, ValueError):
        return None


def _provenance(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _same(config: Config, stage: str, results: Path) -> bool:
    """Tell whether the first shard of a stage was made with the models that are configured now."""
    if stage not in PROVENANCE:
        return True
    made = P.below(results, PROVENANCE[stage], shard="*")
    facts = next((_provenance(p) for p in current(sorted(made.parent.glob(made.name)), config.shards)), {})
    if not facts:
        return False
    if stage == "embed_audio":
        segments = [own.facts() for own in config.audio.segmentations]
        return (facts.get("arch"), facts.get("segments")) == (config.audio.arch, segments)
    if stage == "align":
        same_size = facts.get("detector_size") == config.faces.detector_size
        return same_size and _same_file(config.faces.detector, facts.get("detector"), "detector.onnx")
    if config.visual.arch != "onnx":
        return bool(facts.get("encoder_arch") == config.visual.arch)
    return _same_file(config.visual.model, facts.get("encoder"), "faces.onnx")


def segments_of_mean(audio: Audio, count: int, seconds: float) -> tuple[float, float]:
    """Return how many segments ``count`` utterances of ``seconds`` together have, and the seconds of all of those.

    As if all utterances were equally long, and no segment were shared.
    """
    length = round(seconds / max(count, 1) * 16_000)
    cuts = [cut for own in audio.segmentations for cut in own.how.cut(length, 1)] if length else []
    return float(count * len(cuts)), count * sum(size for _, size in cuts) / 16_000


def _same_file(name: str, used: Any, shipped: str) -> bool:
    """Tell whether the model ``name`` of the configuration can be the file that was ``used``."""
    if name == "builtin" or Path(name).suffix:
        return bool(used == (shipped if name == "builtin" else Path(name).name))
    return used not in (None, shipped)  # of a pack: which file it was is not in its name


def _units(config: Config, stage: str, results: Path, shard: str) -> float:
    """Return a stage's work in a shard that was done: utterances, seconds of clip or frames; 0 where unknown."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from avsieve.storage.tables import read_arrow, row_count

    column = "n_frames" if stage in ("align", "embed_visual") else "audio_s"
    path = P.below(results, P.extract.status, shard=shard)
    try:
        if stage == "fetch" and config.source.contract.fetching != "rendered":
            return float(row_count(P.below(results, P.plan.shard, shard=shard)))
        return float(pc.sum(read_arrow(path, [column])[column]).as_py() or 0)
    except (OSError, pa.ArrowException, AvsieveError):
        return 0.0
