"""Vox1-E's size with AVCleanse's encoders: how long embedding takes at the rate measured, and its trials scored."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
from embed import write_faces, write_voices
from evaluate import DIM, TRIALS, UTTERANCES, make_up

from avsieve.evaluation.metrics import summarise
from avsieve.evaluation.scoring import Part as View
from avsieve.evaluation.scoring import align, cosines, mean_of_cosines
from avsieve.evaluation.trials import make_trial_list, read_trials, write_trials
from gpu_parts.embedding import embedded
from gpu_parts.part import Facts, Part

FACES = 5  # of an utterance, as AVCleanse's evaluation takes; a run of the workflow has one every 0.4 s, about 19
FACE_DIM = 512
ARCHS = {"ecapa1024": "utterances", "iresnet18": "faces", "iresnet50": "faces"}
# What AVCleanse's README gives for its evaluation of Vox1-E on one RTX 3090, by encoders, in seconds.
PEER_S = {
    "ecapa1024": 330, "iresnet18": 333, "iresnet50": 686,
    "ecapa1024 + iresnet18": 686, "ecapa1024 + iresnet50": 1017,
}  # fmt: skip


def measure(part: Part) -> None:
    """Embed some and compute all; score all."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    names = write_voices(part.work, part.size(800, 2), rng)
    pictures = write_faces(part.work, part.size(8000, 10), rng)
    part.note(utterances=UTTERANCES, faces_per_utterance=FACES, peer_rtx3090_s=PEER_S)
    archs = {"ecapa_small": "utterances", "mobileface_small": "faces"} if part.dry else ARCHS
    counts = {"utterances": UTTERANCES, "faces": FACES * UTTERANCES}
    for precision in ("fp32",) if part.dry else ("fp32", "fp16"):
        for arch, unit in archs.items():
            part.case(
                lambda a=arch, p=precision, u=unit: _all(embedded(part, a, p, names, pictures), u, counts[u]),
                f"embedded, {precision}", arch,
            )  # fmt: skip
    part.case(lambda: scored(part.work, part.size(TRIALS, 2000)), "scored")


def _all(facts: Facts, unit: str, count: int) -> Facts:
    return facts | {f"all_{unit}": count, "all_s_at_this_rate": round(count / facts[f"{unit}_per_s"], 1)}


def scored(folder: Path, n_trials: int) -> Facts:
    """Score made-up voices and faces, from the list on disk to the error rates, on the CPU as `evaluate` does."""
    names, voices, labels, enrol, test = make_up(n_trials, np.random.default_rng(0))
    faces = np.random.default_rng(1).standard_normal((UTTERANCES, FACE_DIM), dtype=np.float32)
    path = folder / "trials.txt"
    write_trials(path, make_trial_list(labels, enrol, test))
    began = time.perf_counter()
    trials = read_trials(path)
    audio = View.of(*align(trials.utterances, names, voices))
    speech = cosines(audio, trials.enrol, trials.test)
    eer = summarise(speech, trials.is_target)["eer"]
    speech_s = time.perf_counter() - began
    visual = View.of(*align(trials.utterances, names, faces))
    both = mean_of_cosines([audio, visual], trials.enrol, trials.test)
    summarise(both, trials.is_target)
    return {
        "trials": len(trials), "dims": [DIM, FACE_DIM], "speech_s": round(speech_s, 2),
        "speech_and_faces_s": round(time.perf_counter() - began, 2), "eer_of_made_up_voices": round(float(eer), 4),
    }  # fmt: skip
