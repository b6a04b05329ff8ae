"""Train every fusion network for a while: steps a second, and the share of the time that it waits for data."""

from __future__ import annotations

import torch

from avsieve.fusion.base import NeuralModel
from avsieve.fusion.registry import MODELS
from fusion import Corpus, begun, watched_training
from gpu_parts.part import Facts, Part

DRY_MODELS = ("gated", "vut_video_mean")


def measure(part: Part) -> None:
    """Time every network, and what is read by the batch with it."""
    corpus = Corpus(part.size(60_000, 300), part.size(600, 10), part.work)
    part.note(utterances=len(corpus.inputs))
    for name in DRY_MODELS if part.dry else MODELS:
        if issubclass(MODELS[name], NeuralModel):
            part.case(lambda n=name: _timed(part, n, corpus), name)


def _timed(part: Part, name: str, corpus: Corpus) -> Facts:
    if part.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model = begun(name)
    assert isinstance(model, NeuralModel)
    steps, seconds = (1, 0.1) if part.dry else (1000, 2.0)
    watched, batch = watched_training(model, corpus, steps=steps, seconds=seconds, device=part.device)
    if not watched.taken:
        raise RuntimeError(f"{name}: the training was over before a step could be timed")
    return {
        "batch": batch,
        "steps": watched.steps,
        "steps_per_s": round(watched.steps / watched.taken, 1),
        "waits_for_data": round(watched.waited / watched.taken, 3),
        "peak_memory_gib": round(torch.cuda.max_memory_allocated() / 2**30, 3) if part.device == "cuda" else None,
    }
