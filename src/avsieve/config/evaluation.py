"""The configuration of trials, error rates and the comparison of lists."""

from __future__ import annotations

from typing import Literal

from avsieve.settings import Block, Share, key


class AsNorm(Block):
    """Adaptive symmetric score normalisation, reported beside the raw scores.

    The cohort is written once, to `results/evaluation/cohort.txt`, and is the same for every model, before and after
    the cleansing.
    """

    cohort: str | None = key(
        None,
        "`all` or `clean` (the training list before or after the cleansing, without the people of the trials), or a "
        "list of that layout; nothing for raw scores only.",
        "list_cohort",
    )
    top: int = key(300, "Nearest speakers of the cohort that a score is measured against.", "evaluate_fusion", ge=2)
    per_speaker: int | None = key(
        None, "Most utterances of a speaker of the cohort, evenly spaced in the list.", "list_cohort", ge=1
    )


class Evaluation(Block):
    """Trials and error rates."""

    trials: str | None = key(
        None,
        "Trial list (`label enrol.wav test.wav`); without one, trials are made of the people kept for testing: with "
        "the labels as given and, where no truth is known, also of those of their utterances that the "
        "cleansing trusts.",
        "make_trials",
    )
    holdout: Share = key(
        0.3,
        "Share of the speakers that are cleansed but kept for testing, where the source has no people for it.",
        "plan_shards",
    )
    holdout_seed: int = key(0, "Another seed keeps other speakers for testing.", "plan_shards", ge=0)
    sex: str | None = key(
        None,
        "CSV of `speaker,sex`, or VoxCeleb's meta file: half of the impostors are then of the same sex. The "
        "synthetic source brings its own.",
        "make_trials",
    )
    same_sex_share: Share = key(0.5, "Share of the impostors of the same sex, where the sex is known.", "make_trials")
    max_targets: int = key(5000, "Most target trials that are made, and as many impostors.", "make_trials", ge=10)
    trials_seed: int = key(0, "Another seed makes other trials of the same people.", "make_trials", ge=0)
    trained_on: list[str] = key(
        list,
        "Training lists of encoders that were trained elsewhere: trials of their speakers are refused (VoxCeleb1-E and "
        "-H, for one trained on VoxCeleb1-dev).",
        "evaluate_fusion",
    )
    eer: Literal["interpolated", "nearest", "nearest_mean"] = key(
        "interpolated",
        "Definition of the EER; `nearest` is max(FPR, FNR) where the two are closest, as AVCleanse has it.",
        "evaluate_fusion",
    )
    bootstrap: int = key(1000, "Draws behind the intervals; speakers are resampled.", "evaluate_fusion", ge=0)
    bootstrap_seed: int = key(
        0,
        "Another seed draws other speakers for the intervals, and damages other utterances (`damage_share`).",
        "evaluate_fusion",
        ge=0,
    )
    protocol: Literal["full", "both"] = key(
        "full",
        "`both` scores voice, face and their average also by segments: the mean cosine of all pairs of the two sides' "
        "segments and faces.",
        "evaluate_fusion",
    )
    frames: int = key(5, "Faces of an utterance, evenly spaced, in the segment protocol.", "evaluate_fusion", ge=1)
    as_norm: AsNorm = key(AsNorm, "", "evaluate_fusion")
    damage_share: Share = key(
        0.0, "Evaluate also with this share of the utterances lacking one modality.", "evaluate_fusion"
    )


class Comparison(Block):
    """What the cleansing is worth to encoders (`snakemake compare_lists`).

    The networks of `training` are trained from the same seeds on the full and on the cleansed list and evaluated on
    the same trials.
    """

    modalities: list[Literal["audio", "visual"]] = key(
        lambda: ["audio", "visual"],
        "Encoders to train; no faces where `source.modalities` is `audio`.",
        "compare_lists",
        min_length=1,
    )
    seeds: list[int] = key(
        lambda: [0, 1, 2], "Each encoder is trained on each list once a seed.", "compare_lists", min_length=1
    )
    in_report: bool = key(False, "Whether the report tells of it: then it is part of every run.", "write_report")
