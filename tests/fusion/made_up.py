"""People with voices and faces as embeddings, for the tests of fusion."""

from __future__ import annotations

import numpy as np

from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.sequences import FRAMES, HeldSequences
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.fusion.trained_models import trained_model

# Own settings with which models of papers train in seconds on people as below.
_VUT = {"length": 64, "epochs": 20, "batch_size": 32, "learning_rate": 0.05, "decay": 0.9}
_BAFFN = {"length": 64, "epochs": 20, "pairs": 2000}
QUICK = {
    "mlp": _VUT,
    "vut_soft": _VUT,
    "vut_gated": _VUT,
    "vut_video_mean": _VUT,
    "vut_video_scalar": _VUT,
    "vut_video_fixed": _VUT | {"frames": 4},
    "avn_e": {"length": 64, "epochs": 20, "learning_rate": 0.01},
    "rjca": {"length": 64, "parts": 4, "epochs": 8, "batch_size": 64, "learning_rate": 0.005, "decay": None},
    "baffn_gated": _BAFFN,
    "baffn_attention": _BAFFN,
    "baffn_concat": _BAFFN | {"hidden": 128},
}


def make_people(prefix, n_speakers, seed=0, videos=3, utterances=3, audio_noise=1.0, visual_noise=0.8, dims=(24, 16)):
    """Return inputs and speakers: a direction per person, plus noise shared within a video, plus noise.

    People differ most in the first dimensions, videos in the last: there is something to learn. Voices have the
    sequences `hops`, `eighths` and `centre`, faces `frames`: the utterance's embedding, and noise of each item's own.
    """
    rng = np.random.default_rng(seed)
    names, speakers, sides = [], [], ([], [])
    for s in range(n_speakers):
        person = [rng.standard_normal(d) for d in dims]
        for v in range(videos):
            video = [rng.standard_normal(d) for d in dims]
            for u in range(utterances):
                names.append(f"{prefix}{s:02d}/v{v}/{u}")
                speakers.append(f"{prefix}{s:02d}")
                for side, p, c, noise in zip(sides, person, video, (audio_noise, visual_noise), strict=True):
                    spread = np.linspace(1.6, 0.4, len(p))
                    noises = 0.7 * c + 0.7 * rng.standard_normal(len(p))
                    side.append(spread * p + noise * spread[::-1] * noises + 0.5)
    everywhere = np.ones(len(names), dtype=bool)
    audio, visual = (np.array(side, dtype=np.float32) for side in sides)
    items = np.random.default_rng([seed, 1])  # of their own: embeddings are as they were without
    counts = {"hops": (2, 7), "eighths": (8, 8), "centre": (1, 1)}
    voices = {name: make_sequences(audio, most, items) for name, most in counts.items()}
    faces = {FRAMES: make_sequences(visual, (3, 12), items)}
    audio, visual = Stream(audio, everywhere, voices), Stream(visual, everywhere, faces)
    return Inputs(names, audio, visual), speakers


def make_sequences(pooled, counts, rng, noise=0.7):
    """Return as many items of each embedding as ``counts``, the fewest and the most, say, one a second."""
    count = rng.integers(counts[0], counts[1] + 1, size=len(pooled))
    shape = (len(pooled), counts[1])
    vectors = pooled[:, None] + noise * rng.standard_normal((*shape, pooled.shape[1]))
    start_s = np.broadcast_to(np.arange(counts[1], dtype=np.float32), shape)
    return HeldSequences(vectors.astype(np.float32), np.arange(counts[1])[None] < count[:, None], start_s)


def both(audio, visual, has_audio, has_visual):
    """Return pooled embeddings as the batches that `fuse` takes."""
    return StreamBatch(audio, has_audio), StreamBatch(visual, has_visual)


def new_model(name, audio_dim, visual_dim, dim=128, **own):
    """Return a model that is not yet trained."""
    model = trained_model(name)
    return model(audio_dim, visual_dim, dim, model.settings(**own))
