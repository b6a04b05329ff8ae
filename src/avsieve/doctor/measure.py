"""Time the stages on a few clips of the user's own, with the models that are configured, in a temporary folder.

The stage functions are those that the rules run; loading of models is not part of a rate, since a shard does it once.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.doctor.formatting import two_digits
from avsieve.doctor.rates import Rate, segments_of_mean
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.config.model import Config
    from avsieve.sources.contract import Fetching, SourceContract

ORIGIN = "measured here"
# The doctor downloads nothing.
NOT_MEASURED: dict[Fetching, str] = {
    "downloaded": "clips would have to be downloaded",
    "none": "there are no clips",
}


@dataclass
class Timed:
    """Seconds of a stage, and the units that it did in them."""

    seconds: float
    units: float

    @property
    def core_s(self) -> float:
        """Seconds for each unit."""
        return self.seconds / max(self.units, 1e-9)


def measure_rates(config: Config, clips: int) -> tuple[dict[str, Rate], list[Finding]]:
    """Take ``clips`` clips of the source through the stages on one core.

    Returns
    -------
    tuple
        The rates of the stages, and a line a stage with the milliseconds a clip.

    Raises
    ------
    AvsieveError
        If a clip or model cannot be used.
    """
    if why := NOT_MEASURED.get(config.source.contract.fetching):
        return {}, [Finding("note", "--measure", f"not possible for source.kind {config.source.kind}: {why}")]
    with tempfile.TemporaryDirectory(prefix="avsieve-doctor-") as folder:
        timed = _stages(config, clips, Path(folder))
    count = timed.pop("clips").units
    if not count:
        return {}, [Finding("warning", "--measure", "none of the chosen clips could be read", "look at the source")]
    findings = [
        Finding("ok", stage, f"{two_digits(1000 * t.seconds / count)} ms per clip on one core, {count:.0f} clips")
        for stage, t in timed.items()
    ]
    return {stage: Rate(t.core_s, ORIGIN) for stage, t in timed.items() if t.units}, findings


def _stages(config: Config, clips: int, folder: Path) -> dict[str, Timed]:
    import cv2

    from avsieve.media.extract import extract_shard
    from avsieve.storage.tables import read_table

    cv2.setNumThreads(1)
    source = config.source.contract
    rows = _chosen(source, clips, folder)
    fetch, outputs = source.load("fetch"), _outputs(source.fetch_outputs, folder)
    (index, _), fetched = _timed(lambda: fetch(rows, source.settings, **outputs))
    usable = index[index["size"] > 0].reset_index(drop=True)
    if usable.empty:
        return {"clips": Timed(0, 0)}
    roots = {name: Path(path) for name, path in source.roots(str(folder)).items() if path}
    test = roots.get("test_root", roots["train_root"])
    sound = {s: roots[f"{s}_audio_root"] for s in ("train", "test") if f"{s}_audio_root" in roots}
    both = "visual" in source.modalities
    frames, wav = folder / "frames.tar", folder / "wav.tar"
    media = config.media.model_dump(include={"interval_s", "jpeg_quality", "min_audio_s"})
    media["limits"] = config.media.limits
    status, extracted = _timed(
        lambda: extract_shard(usable, {"train": roots["train_root"], "test": test}, sound, frames_tar=frames,
                              wav_tar=wav, want_video=both, workers=1, **media)
    )  # fmt: skip
    table = status.frame()
    seconds, images = float(table["audio_s"].sum()), int(table["n_frames"].sum())
    # Rendering is counted by the clips' length, finding by their number.
    done = {
        "clips": Timed(0, len(usable)),
        "fetch": Timed(fetched, seconds if source.fetching == "rendered" else len(rows)),
        "extract": Timed(extracted, seconds),
    }
    utterances = usable["utterance"].tolist()
    if both and images:
        detections = folder / "detections.parquet"
        done["align"] = Timed(_align(config, utterances, folder), images)
        faces = int((read_table(detections, ["code"])["code"] == "ok").sum())
        done["embed_visual"] = Timed(_embed_faces(config, utterances, folder) if faces else 0.0, faces)
    if seconds:
        _, in_segments = segments_of_mean(config.audio, len(utterances), seconds)
        done["embed_audio"] = Timed(_embed_voices(config, utterances, folder), seconds + in_segments)
    return done


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _warm(work: Callable[[], Any]) -> float:
    """Return the seconds of the second of two runs: the first one also sets the networks up."""
    work()
    return _timed(work)[1]


def _outputs(names: tuple[str, ...], folder: Path) -> dict[str, Path]:
    """Return where the source writes what it has beside the plan or the index: in the temporary folder."""
    return {name: folder / name for name in names}


def _chosen(source: SourceContract[Any], clips: int, folder: Path) -> pd.DataFrame:
    """Return the plan of a few clips, far apart."""
    from avsieve.sources.plan import TRAIN, build_plan

    rows = source.load("plan")(source.settings, **_outputs(source.plan_outputs, folder))
    rows = rows[rows["subset"] == TRAIN]
    step = max(1, len(rows) // clips)
    return build_plan(rows.iloc[::step].head(clips).reset_index(drop=True), 1)


def _align(config: Config, utterances: list[str], folder: Path) -> float:
    from avsieve.faces.align_shard import align_shard
    from avsieve.faces.options import add_face_options, aligner_of
    from avsieve.wiring.flags import flags
    from avsieve.wiring.models import face_settings

    ap = argparse.ArgumentParser(allow_abbrev=False)
    add_face_options(ap)
    words = flags(face_settings(config))
    aligner = aligner_of(ap.parse_args([*shlex.split(words), "--device", config.device]))
    others = config.written_crops[1:]
    return _warm(
        lambda: align_shard(
            utterances, folder / "frames.tar", aligner, faces_tar=folder / "faces.tar",
            detections=folder / "detections.parquet",
            crop_tars={kind: folder / f"{kind}.tar" for kind in others},
        )
    )  # fmt: skip


def _embed_faces(config: Config, utterances: list[str], folder: Path) -> float:
    from avsieve.encoders.embed_visual import embed_shard
    from avsieve.encoders.face_encoder import load_face_encoder

    visual, crop = config.visual, config.crop_of("visual")
    tar = folder / ("faces.tar" if crop == config.written_crops[0] else f"{crop}.tar")
    encoder = load_face_encoder(
        visual.arch, visual.model, channels=visual.channels, precision=visual.precision, device=config.device, threads=1
    )
    return _warm(
        lambda: embed_shard(
            tar, folder / "detections.parquet", utterances, encoder,
            embeddings=folder / "visual.parquet", frame_embeddings=folder / "visual.frames.parquet",
            pooling=visual.pooling, batch=visual.batch,
        )
    )  # fmt: skip


def _embed_voices(config: Config, utterances: list[str], folder: Path) -> float:
    import torch

    from avsieve.encoders.audio import load_audio_encoder
    from avsieve.encoders.device import pick_device
    from avsieve.encoders.embed_audio import embed_shard

    torch.set_num_threads(1)
    audio, device = config.audio, pick_device(config.device)
    encoder = load_audio_encoder(audio.arch, audio.checkpoint, device=str(device), features=audio.features)
    return _warm(
        lambda: embed_shard(
            folder / "wav.tar", utterances, encoder, device=device, batch_s=audio.batch_s, precision=audio.precision,
            segmentations=audio.segmentations,
        )
    )  # fmt: skip
