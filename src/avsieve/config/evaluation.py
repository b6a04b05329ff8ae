"""The configuration of trials, error rates and the comparison of lists."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from avsieve.evaluation.conditions.settings import Damage
from avsieve.settings import Block, Share, key


class AsNorm(Block):
    """Adaptive symmetric score normalisation (AS-norm), reported beside the raw scores.

    The cohort is chosen once, written to `results/evaluation/cohort.txt`, and used for every model, before and after
    cleansing.
    """

    cohort: str | None = key(
        None,
        "The cohort: `all` or `clean` (the training list before or after cleansing, without the speakers of the "
        "trials), or a list of your own in the same format. Without one there are raw scores only.",
        "list_cohort",
    )
    top: int = key(300, "Number of closest cohort speakers that a score is normalised with.", "evaluate_fusion", ge=2)
    per_speaker: int | None = key(
        None, "Maximum number of utterances per cohort speaker, evenly spaced in the list.", "list_cohort", ge=1
    )


class Evaluation(Block):
    """Trials and error rates."""

    trials: str | list[str] | dict[str, str] | None = key(
        None,
        "Trial list of your own (`label enrol.wav test.wav`), a list of such, or names with a path each, such as "
        "`{O: veri_test2.txt, H: list_test_hard2.txt}`: the results call the lists by these names, else VoxCeleb1's by "
        "theirs and others by their file, and headlines stand on the first. Without one, trials are made from the test "
        "speakers with the labels as given; where no truth is known, a second list is made from those of their "
        "utterances that the cleansing trusts.",
        "make_trials",
    )
    holdout: Share = key(
        0.3,
        "Share of the speakers to hold out for testing, where the source has no test speakers. They are cleansed like "
        "all others.",
        "plan_shards",
    )
    holdout_seed: int = key(0, "Seed for choosing the held-out speakers.", "plan_shards", ge=0)
    sex: str | None = key(
        None,
        "CSV file with the columns `speaker,sex`, or VoxCeleb's meta file: `same_sex_share` of the impostor trials are "
        "then between speakers of the same sex. The synthetic source brings its own.",
        "make_trials",
    )
    same_sex_share: Share = key(
        0.5, "Share of the impostor trials between speakers of the same sex, where the sex is known.", "make_trials"
    )
    max_targets: int = key(
        5000, "Maximum number of target trials to make; there are as many impostor trials.", "make_trials", ge=10
    )
    trials_seed: int = key(0, "Seed for choosing the trials.", "make_trials", ge=0)
    trained_on: list[str] = key(
        list,
        "Training lists of encoders trained elsewhere: trials of their speakers are refused (such as "
        "VoxCeleb1-E and -H for an encoder trained on VoxCeleb1-dev).",
        "evaluate_fusion",
    )
    eer: Literal["interpolated", "nearest", "nearest_mean"] = key(
        "interpolated",
        "Definition of the EER. `nearest` is max(FPR, FNR) where the two are closest, as in AVCleanse; `nearest_mean` "
        "is their mean there.",
        "evaluate_fusion",
    )
    bootstrap: int = key(
        1000, "Number of bootstrap draws for the confidence intervals; speakers are resampled.", "evaluate_fusion", ge=0
    )
    bootstrap_seed: int = key(
        0,
        "Seed for the bootstrap draws.",
        "evaluate_fusion",
        ge=0,
    )
    protocol: Literal["full", "both"] = key(
        "full",
        "`both` also scores voice, face and their average by segments: the mean cosine similarity over all pairs of "
        "segments (or faces) of the two utterances.",
        "evaluate_fusion",
    )
    frames: int = key(
        5, "Number of faces per utterance, evenly spaced, in the segment protocol.", "evaluate_fusion", ge=1
    )
    as_norm: AsNorm = key(AsNorm, "", "evaluate_fusion")
    damage: Damage = key(Damage, "", "make_damage")

    @field_validator("trials", mode="before")
    @classmethod
    def _tells_the_lists_apart(cls, value: Any) -> Any:
        """Refuse in one message what no list could be told by."""
        if value is None or isinstance(value, str):
            return value
        paths = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(paths, list) or not paths or not all(isinstance(path, str) and path for path in paths):
            raise ValueError("expected a path, a list of paths, or names with a path each: {O: veri_test2.txt, ...}")
        for name in value if isinstance(value, dict) else ():
            # A name that begins with a dash would be taken for an option.
            if not isinstance(name, str) or not name.isprintable() or name != name.strip() or name[:1] in ("", "-"):
                raise ValueError(f"the name {name!r}: expected text without a dash or blank at its beginning")
        if isinstance(value, list) and (twice := [path for path in value if value.count(path) > 1]):
            raise ValueError(f"{twice[0]} is there twice")
        return value

    @property
    def trial_paths(self) -> list[str]:
        """The user's own lists of trials, the one of the headlines first."""
        if not self.trials:
            return []
        if isinstance(self.trials, dict):
            return list(self.trials.values())
        return [self.trials] if isinstance(self.trials, str) else self.trials

    @property
    def trial_names(self) -> list[str]:
        """What the user calls them; nothing where they have no names."""
        return list(self.trials) if isinstance(self.trials, dict) else []


class Comparison(Block):
    """What cleansing is worth to encoders (`snakemake compare_lists`).

    The networks of `training` are trained with the same seeds on the full and on the cleansed list, and evaluated on
    the same trials.
    """

    modalities: list[Literal["audio", "visual"]] = key(
        lambda: ["audio", "visual"],
        "Encoders to train; faces are left out where `source.modalities` is `audio`.",
        "train_audio_arm",
        min_length=1,
    )
    seeds: list[int] = key(
        lambda: [0, 1, 2], "Each encoder is trained once per seed on each list.", "train_audio_arm", min_length=1
    )
    in_report: bool = key(False, "Include the comparison in the report; it is then part of every run.", "write_report")
