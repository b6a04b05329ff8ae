"""What a run costs besides the work on clips: starting its jobs, and the stages from the plan to the report.

The figures are seconds of a core, measured as user and system time of the rules' own commands with one thread each, on
2 cores of an AMD EPYC: `avsieve simulate` gave 56 to 50,000 utterances of 6 to 2,000 speakers, and VoxCeleb2's size
stands in docs/benchmarks.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from avsieve.doctor.damage_costs import Damaged
from avsieve.doctor.formatting import two_digits
from avsieve.doctor.fusion_costs import encoding_s, trainings
from avsieve.doctor.joint_costs import embedding_s, training_s
from avsieve.doctor.trial_size import TrialSize

if TYPE_CHECKING:
    from avsieve.config.model import Config

# A job is a process: Python, and the packages that its stage imports.
START_S = {
    "plan": 0.7, "fetch": 0.8, "extract": 0.95, "align": 1.7, "extract, align": 1.5, "embed_audio": 2.6,
    "embed_visual": 3.3, "split": 0.6, "split segments": 0.6, "split faces": 0.6,
    "pool": 1.4, "score": 0.65, "clean": 0.65, "audit": 1.4, "train fusion": 2.6, "train joint": 3.5,
    "embed joint": 3.5,
    "evaluate": 3.3, "report": 3.2, "choose damage": 0.7, "choose twins": 0.7, "damage": 0.75,
}  # fmt: skip
# Snakemake: reading the rules, and for each job its look at the files and its place in the order.
SNAKEMAKE_S, SNAKEMAKE_JOB_S = 2.5, 0.08
# Utterances of a speaker and speakers, where nobody knows: VoxCeleb2 has 182, small sets have fewer.
UTTERANCES_A_SPEAKER = 100
# Splitting tables of segments and faces: a row of 512 numbers, and how many rows an utterance has, about.
SPLIT_ROW_S, SEQUENCE_ROWS = 2.5e-5, {"audio": 12, "visual": 20}
# Evidence of an utterance: its own part, its speaker's, and the part of each pair of utterance and speaker.
POOL_S, POOL_SPEAKER_S = 5.5e-5, 4e-3
SCORE_S, SCORE_SPEAKER_S, SCORE_PAIR_S = 4e-5, 3.5e-3, 1e-8
# The decision fits its models on a sample of at most so many utterances, whatever the list.
CLEAN_S, CLEAN_FIT_S, CLEAN_SAMPLE, CLEAN_FIXED_S = 3e-5, 7.5e-4, 6000, 1.5
# The audit gathers and judges the list twice, and draws its intervals: so many times what these take once.
AUDIT = 3
# A trial scored by one system, its draws for the intervals included.
TRIAL_S = 1e-5
REPORT_S = 1.0


@dataclass(frozen=True)
class Size:
    """What the later stages depend on: utterances, speakers, and those utterances that train fusion models."""

    utterances: int
    speakers: int
    trained_on: int

    @property
    def pairs(self) -> int:
        """Pairs of utterances of a speaker, among those that are kept for testing."""
        return round((self.utterances - self.trained_on) * self.utterances / self.speakers / 2)


@dataclass(frozen=True)
class Stage:
    """A stage's work: seconds of a core, and how many jobs share it."""

    name: str
    work: str
    core_s: float
    jobs: int


def size_of(config: Config, utterances: int, speakers: int | None) -> Size:
    """Return the size of a run, guessing how many speakers there are where the source does not say."""
    evaluation, source = config.evaluation, config.source.contract
    kept = evaluation.holdout if not evaluation.trial_paths and source.keeps_people else 0.0
    guessed = speakers or max(2, round(utterances / UTTERANCES_A_SPEAKER))
    return Size(utterances, guessed, round((utterances - source.test_utterances) * (1 - kept)))


def first_stages(config: Config, size: Size) -> list[Stage]:
    """Return the plan, and for embeddings made elsewhere their splitting into shards."""
    stages = [Stage("plan", _count(size.utterances), 1e-5 * size.utterances, 1)]
    source = config.source.contract
    if not source.has_media:
        stages.append(Stage("split", _count(size.utterances), 8e-5 * size.utterances, len(source.modalities)))
        for modality, rows in SEQUENCE_ROWS.items():
            if read_sequences(config, modality):
                what = "faces" if modality == "visual" else "segments"
                work = f"{what} of {_count(size.utterances)}"
                stages.append(Stage(f"split {what}", work, SPLIT_ROW_S * rows * size.utterances, 1))
    return stages


def read_sequences(config: Config, modality: str) -> bool:
    """Tell whether a model or the segment protocol reads tables of segments or faces that the source brings."""
    there = config.source.contract.sequence_tables(modality)
    return bool(there) and (config.evaluation.protocol == "both" or bool(set(there) & set(config.fusion.sequences)))


def trials_of(config: Config, size: Size) -> TrialSize:
    """Guess the trials that a run makes of the people who are kept for testing."""
    return TrialSize.made(2 * min(config.evaluation.max_targets, size.pairs), size.utterances - size.trained_on)


def last_stages(config: Config, size: Size, trials: TrialSize, damaged: Damaged) -> list[Stage]:
    """Return the stages from the evidence to the report.

    Parameters
    ----------
    trials, damaged
        The trials, and those of them that are damaged.
    """
    n, speakers = size.utterances, size.speakers
    said = f"{_count(n)} of {speakers:,} speakers"
    pool = POOL_S * n + POOL_SPEAKER_S * speakers
    score = SCORE_S * n + SCORE_SPEAKER_S * speakers + SCORE_PAIR_S * n * speakers
    clean = CLEAN_FIXED_S + CLEAN_FIT_S * min(n, CLEAN_SAMPLE) + CLEAN_S * n
    audit = [Stage("audit", said, AUDIT * (pool + score + clean), 1)] if config.report.with_audit else []
    return [
        Stage("pool", said, pool, 1),
        Stage("score", said, score, config.shards),
        Stage("clean", _count(n), clean + START_S["plan"], 1),
        *audit,
        *_training(config, size),
        *_joint(config, size, trials, damaged),
        _evaluation(config, trials, damaged),
        Stage("report", "the page", REPORT_S, 1),
    ]


def _training(config: Config, size: Size) -> list[Stage]:
    """Return the trainings of fusion models: each on both lists, and a job each."""
    fusion = config.fusion
    each = trainings(config, size.trained_on, round(size.speakers * size.trained_on / max(1, size.utterances)))
    if not each:
        return []
    total = sum(training.core_s for training in each)
    work = f"{len(each)} models, 2 lists, {len(fusion.seeds)} seeds"
    longest = max(each, key=lambda training: training.core_s)
    if len(each) > 2 and longest.core_s > total / 2:
        work += f"; {longest.core_s / total:.0%} of it {longest.model}"
    return [Stage("train fusion", work, 2 * total, 2 * len(each))]


def _joint(config: Config, size: Size, trials: TrialSize, damaged: Damaged) -> list[Stage]:
    """Return the trainings of joint models, a job for each list and seed, and what they make of the trials."""
    fusion = config.fusion
    if not fusion.joint:
        return []
    jobs = 2 * len(fusion.joint) * len(fusion.seeds)
    work = f"{len(fusion.joint)} models, 2 lists, {len(fusion.seeds)} seeds"
    train = sum(training_s(config, name, size.trained_on) for name in fusion.joint)
    embed = (trials.both + damaged.rows) * sum(embedding_s(config, name) for name in fusion.joint)
    each = 2 * len(fusion.seeds)
    return [
        Stage("train joint", work, each * train, jobs),
        Stage("embed joint", f"{_count(round(trials.both))}, {jobs} models", each * embed, jobs),
    ]


def _evaluation(config: Config, trials: TrialSize, damaged: Damaged) -> Stage:
    """Return the evaluation: the trials as they are, those of every condition, and all of them pooled."""
    fusion = config.fusion
    systems = 4 + 2 * len(fusion.models) * len(fusion.seeds)
    scored, work = float(trials.trials), str(trials)
    if damaged.conditions:
        scored = 2 * (trials.trials + damaged.trials)
        work += f", {two_digits(damaged.trials)} of {damaged.conditions} conditions"
    encoded = 2 * len(fusion.seeds) * (trials.both + damaged.rows) * sum(map(encoding_s, fusion.heads))
    return Stage("evaluate", f"{work}, {systems} systems", scored * systems * TRIAL_S + encoded, 1)


def own_seconds(jobs: int) -> float:
    """Return what Snakemake itself takes for a run of so many jobs."""
    return SNAKEMAKE_S + SNAKEMAKE_JOB_S * jobs


def _count(utterances: int) -> str:
    return f"{utterances:,} utterances"
