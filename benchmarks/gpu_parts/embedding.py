"""Embed shards end to end, and compare with the forward passes alone."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from embed import Ways, face_encoder, face_ways, voice_ways, write_faces, write_voices
from embed import measure as timed

from avsieve.encoders.registry import AUDIO, VISUAL, build
from avsieve.encoders.settings import Audio
from gpu_parts.part import Facts, Part, cores

# WavLM has the longest passes: fewer utterances tell as much. A dry run has small networks where there are any.
UTTERANCES = {"ecapa1024": 800, "wavlm_mhfa": 240}
NETWORKS = ("ecapa1024", "iresnet50", "wavlm_mhfa")
DRY_NETWORKS = ("ecapa_small", "mobileface_small", "wavlm_mhfa")
PRECISIONS = ("fp32", "fp16", "bf16")
ROUNDS = 2


def measure(part: Part) -> None:
    """Embed with every network in every precision, one precision after the other."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    names = write_voices(part.work, part.size(800, 4), rng)
    pictures = write_faces(part.work, part.size(8000, 20), rng)
    part.note(batch_s=Audio().batch_s, mean_utterance_s=7.8, rounds=ROUNDS, cores=cores())
    for precision in PRECISIONS[:1] if part.dry else PRECISIONS:
        for arch in part.chosen(DRY_NETWORKS if part.dry else NETWORKS):
            part.case(lambda a=arch, p=precision: embedded(part, a, p, names, pictures), arch, precision)


def embedded(part: Part, arch: str, precision: str, names: list[str], pictures: list[str]) -> Facts:
    """Return rates of a network: from the shard, of forward passes over the same batches, and their ratio."""
    torch.manual_seed(0)
    if arch in VISUAL:
        encoder = face_encoder(
            arch, part.work, device=part.device, precision=precision, threads=torch.get_num_threads()
        )
        return rates(face_ways(encoder, part.work, pictures, alone=False), 5 * len(pictures), "faces")
    network = build(AUDIO, arch).eval().to(part.device)
    some = names[: part.size(UTTERANCES.get(arch, len(names)), 1 if arch == "wavlm_mhfa" else len(names))]
    ways = voice_ways(
        network, part.work, some, device=torch.device(part.device), precision=precision, batch_s=Audio().batch_s
    )
    return rates(ways, len(some), "utterances")


def rates(ways: Ways, count: int, unit: str) -> Facts:
    """Time forward passes and shards in turns, after a round that counts for nothing: it chooses algorithms."""
    chosen = {name: ways[name] for name in ("limit", "batched")}
    for way in chosen.values():
        way()
    seconds = timed(chosen, ROUNDS)
    whole, alone = seconds["batched"][0], seconds["limit"][0]
    return {
        "count": count,
        f"{unit}_per_s": round(count / whole, 1),
        f"forward_only_{unit}_per_s": round(count / alone, 1),
        "share_of_forward_only": round(alone / whole, 3),
        "cpu_seconds": round(seconds["batched"][1], 2),
    }
