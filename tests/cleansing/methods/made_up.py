"""Evidence made by hand: similarities of a few utterances, and nothing else."""

from __future__ import annotations

import numpy as np

from avsieve.cleansing.scores import Evidence, Scores


def scores_of(audio, visual, **more) -> Scores:
    """Return scores of utterances of one speaker; ``more`` are further fields of both modalities' evidence."""
    n = len(audio)
    evidence = {}
    for name, similarity in (("audio", audio), ("visual", visual)):
        made = Evidence.empty(n)
        made.similarity = np.asarray(similarity, np.float32)
        made.plain = made.similarity.copy()
        made.present = ~np.isnan(made.similarity)
        for field, value in more.items():
            setattr(made, field, np.asarray(value))
        evidence[name] = made
    return Scores(
        utterance=np.array([f"s/v{i}/1" for i in range(n)], dtype=object),
        speaker=np.zeros(n, np.int32),
        video=np.array([f"s/v{i}" for i in range(n)], dtype=object),
        speakers=["s", "t"],
        evidence=evidence,
        learned=evidence,
        joint=np.full((n, 3), np.nan, np.float32),
        joint_speaker=np.full((n, 3), -1, np.int32),
        second=np.zeros(n, np.float32),
        doubt=np.zeros(n, np.float32),
        rival=np.zeros(n, np.float32),
    )
