"""The settings of the synthetic source. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from avsieve.settings import Block, Share, key


class Synthetic(Block):
    """Synthetic talking people (`source.kind: synthetic`)."""

    speakers: int = key(28, "People in the training list.", "plan_shards", ge=4)
    videos: int = key(4, "Videos per person.", "plan_shards", ge=1)
    utterances: int = key(3, "Utterances per video.", "plan_shards", ge=1)
    test_speakers: int = key(12, "Other people, for the trials.", "plan_shards", ge=0)
    test_videos: int = key(4, "Videos per test person.", "plan_shards", ge=2)
    test_utterances: int = key(2, "Utterances per video of a test person.", "plan_shards", ge=1)
    duration_s: float = key(3.0, "Mean length of an utterance, in seconds.", "plan_shards", ge=1, le=60)
    noise: float = key(
        0.15, "Share of the training utterances that are deliberately mislabelled.", "plan_shards", ge=0, le=0.6
    )
    outside: Share = key(0.3, "Share of the wrong videos that show someone outside the corpus.", "plan_shards")
    seed: int = key(1, "Seed of the people, videos and wrong labels.", "plan_shards", ge=0)
