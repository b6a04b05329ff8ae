"""Tiny configurations in which, between them, nearly every rule has a job."""

from __future__ import annotations

from avsieve.export.registry import FORMS

TINY = """\
source:
  kind: synthetic
  synthetic: {speakers: 6, videos: 3, utterances: 3, test_speakers: 3, test_videos: 2, test_utterances: 1,
    duration_s: 1.6, noise: 0.2}
shards: 1
training: {audio: {steps: 4, batch: 4, crop_s: 0.5}, visual: {steps: 4, batch: 4}}
comparison: {seeds: [0]}
fusion: {seeds: [0], epochs: 1, twins: {conditions: [vut]}, models: [gated, calibrated,
  {name: speaker_face, visual_arch: mobileface_small, visual_weights: builtin, epochs: 1, batch_size: 8, crop_s: 0.8}]}
evaluation: {bootstrap: 5, damage: {conditions: [vut]}, as_norm: {cohort: all, top: 4}}
cleansing: {rounds: 2}
audit: {rate: 0.3}
"""
# Embeddings that were made elsewhere, as `avsieve simulate --sequences` writes them. Wrong labels are not known.
BROUGHT = """\
source:
  kind: embeddings
  embeddings: {train_list: data/train_all.txt, audio: data/audio.npz, visual: data/visual.npz,
    audio_segments: {hops: data/audio_segments.parquet}, visual_frames: data/visual_frames.parquet}
shards: 1
fusion: {models: [calibrated]}
evaluation: {holdout: 0.4, bootstrap: 5, protocol: both}
"""
# Of TINY; of the other, all.
TARGETS = ("all", "compare_lists", "audit_noise", "train_encoders", "write_fusion_table", "compare_rounds")
TARGETS += ("remove_old_shards", *(f"export_{form}" for form in FORMS))
