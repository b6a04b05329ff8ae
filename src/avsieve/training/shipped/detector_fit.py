"""Train, export and measure the tiny detector."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from avsieve.storage.indexed_tar import TarReader
from avsieve.training.optimisation import Schedule
from avsieve.training.shipped.detector import TinyDetector, detector_loss
from avsieve.training.shipped.detector_data import DetectorImages, decode
from avsieve.training.shipped.onnx_export import write_onnx
from avsieve.training.shipped.rendered_faces import read_truth

logger = logging.getLogger(__name__)


def read_people(frames: Path, truth: Path) -> tuple[list[bytes], np.ndarray, np.ndarray]:
    """Return JPEGs, boxes (n, 4) and landmarks (n, 5, 2) of rendered people."""
    table = read_truth(truth)
    with TarReader(frames) as reader:
        jpegs = [reader.read(name) for name in table["name"]]
    boxes = table[["x1", "y1", "x2", "y2"]].to_numpy(np.float32)
    return jpegs, boxes, np.stack(table["landmarks"].to_list()).reshape(-1, 5, 2).astype(np.float32)


def train_detector(images: DetectorImages, *, steps: int, batch: int, lr: float, seed: int) -> TinyDetector:
    """Train a detector from scratch with AdamW on the CPU, in float32; equal settings give equal weights.

    In the last third the batch normalisations keep the statistics they have, since those of a batch of mosaics are not
    those of the one image that is looked at later.
    """
    torch.manual_seed(seed)
    network = TinyDetector().train()
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    stepper = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 1e-3}, {"params": plain, "weight_decay": 0.0}], lr=lr
    )
    schedule = Schedule.cosine(steps, lr=lr, lr_end=lr / 100, warmup=0.03, margin=0.0)
    start = time.monotonic()
    for step in range(steps):
        for group in stepper.param_groups:
            group["lr"] = schedule.lr_at(step)
        if step == 2 * steps // 3:
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        made = images.batch(step * batch, batch)
        loss, parts = detector_loss(network, made.images, made.faces, made.marks)
        stepper.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        stepper.step()
        if (step + 1) % 20 == 0:
            text = ", ".join(f"{k} {v:.4f}" for k, v in parts.items())
            left = (time.monotonic() - start) / (step + 1) * (steps - step - 1)
            logger.info("step %d of %d: loss %.4f (%s), %.0f s left", step + 1, steps, loss.item(), text, left)
    return network.eval()


def export_detector(network: TinyDetector, path: Path) -> None:
    """Write the detector as ONNX with free batch size, height and width."""
    names = [f"{what}_{stride}" for what in ("score", "box", "landmarks") for stride in (8, 16, 32)]
    axes = {"image": {0: "batch", 2: "height", 3: "width"}} | {n: {0: "batch", 1: f"anchors_{n}"} for n in names}
    write_onnx(network, path, torch.zeros(1, 3, 224, 224), names, free=axes)


def measure_detector(model: Path, frames: Path, truth: Path, *, size: int, min_score: float = 0.5) -> dict[str, float]:
    """Measure a detector on rendered people through the pipeline's own adapter.

    Returns
    -------
    dict
        ``recall`` (share of frames with a face of at least ``min_score`` that overlaps the true box by half),
        ``false_per_image`` (other faces found), ``false_in_faceless`` (share of images with the face hidden in which
        one is found), and ``landmark_error`` / ``landmark_error_p95`` (mean over the five points, in units of the
        distance of the eyes).
    """
    from avsieve.faces.detector import FaceDetector
    from avsieve.faces.tracking import overlaps

    detector = FaceDetector(model, size=size, min_score=min_score)
    jpegs, boxes, marks = read_people(frames, truth)
    hidden = DetectorImages(jpegs, boxes, marks, seed=99)
    errors, found, extra, fooled = [], 0, 0, 0
    rng = np.random.default_rng(99)
    for jpeg, box, mark in zip(jpegs, boxes, marks, strict=True):
        seen = detector.detect(decode(jpeg))
        good = np.flatnonzero(overlaps(seen.boxes, box[None])[:, 0] >= 0.5) if len(seen.boxes) else np.array([], int)
        extra += len(seen.boxes) - len(good)
        if len(good):
            found += 1
            eyes = np.linalg.norm(mark[1] - mark[0])
            errors.append(np.linalg.norm(seen.landmarks[good[0]] - mark, axis=1).mean() / eyes)
        fooled += len(detector.detect(hidden.faceless(rng)).boxes) > 0
    n = len(jpegs)
    return {
        "images": n,
        "recall": found / n,
        "false_per_image": extra / n,
        "false_in_faceless": fooled / n,
        "landmark_error": float(np.mean(errors)) if errors else float("nan"),
        "landmark_error_p95": float(np.quantile(errors, 0.95)) if errors else float("nan"),
    }
