"""The lists that a configuration names: readable, recognised, and about utterances that are there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.doctor.speakers import check_people
from avsieve.errors import AvsieveError
from avsieve.evaluation.labels import OFFICIAL, in_words
from avsieve.sources.findings import Finding
from avsieve.storage import paths as P

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.evaluation.trials import Trials

PLAN = Path(P.plan.utterances)
# Of a trial list's utterances: all are asked for up to here, beyond it an even choice of as many.
MOST_ASKED = 10_000


def check_lists(config: Config, is_there: Callable[[str], bool] | None) -> list[Finding]:
    """Look at trials, sexes, truth, reviews, cohort and the lists of encoders trained elsewhere.

    The training list is looked at with the source.
    """
    findings = _trials(config, is_there)
    evaluation = config.evaluation
    findings += [_speakers(path, "evaluation.trained_on") for path in evaluation.trained_on]
    findings += _seen(config)
    findings += check_people(config)
    if evaluation.as_norm.cohort not in (None, "all", "clean"):
        findings.append(_readable_list(str(evaluation.as_norm.cohort), "evaluation.as_norm.cohort"))
    if evaluation.sex is not None:
        findings.append(_sex(evaluation.sex))
    if config.source.truth is not None:
        findings.append(_truth(config.source.truth))
    if config.cleansing.review is not None:
        findings.append(_review(config.cleansing.review))
    return findings


def _trials(config: Config, is_there: Callable[[str], bool] | None) -> list[Finding]:
    from avsieve.evaluation.trial_lists import own_name, refuse_one_name
    from avsieve.evaluation.trials import read_trials

    key, paths = "evaluation.trials", config.evaluation.trial_paths
    if not paths:
        if config.source.contract.has_test_set or config.evaluation.holdout > 0:
            return [Finding("ok", key, "generated from the held-out speakers")]
        return [
            Finding("warning", key, "no trial list, no test people in the source, and evaluation.holdout is 0: "
                    "nobody can be tested, and the evaluation is left out", "name a trial list, or test people")
        ]  # fmt: skip
    findings, names = [], {}
    for path, given in zip(paths, config.evaluation.trial_names or [""] * len(paths), strict=True):
        try:
            trials = read_trials(path)
        except AvsieveError as error:
            findings.append(Finding("error", key, str(error), "fix or fetch the list"))
            continue
        names[path] = given or own_name(path, trials.recognise())
        called = f"{names[path]}: " if len(paths) > 1 else ""
        own = [*_recognised(trials), *_covered(trials, is_there or _planned())]
        findings += [replace(found, text=called + found.text) for found in own]
    try:
        refuse_one_name(list(names.values()), list(names))
    except AvsieveError as error:
        findings.append(Finding("error", key, str(error).removeprefix(f"{key}: "), "name the lists"))
    return findings


def _recognised(trials: Trials) -> list[Finding]:
    """Tell which list it is, and how long."""
    key, known = "evaluation.trials", trials.recognise("no list of VoxCeleb1's")
    name = known.name if known.version == "-" else f"{known.name} {known.version}"
    text = f"{name}: {len(trials):,} trials, {trials.n_targets:,} targets, {len(trials.utterances):,} utterances"
    findings = [Finding("ok", key, text)]
    if known.version == "original":
        findings.append(
            Finding(
                "note",
                key,
                f"the original {known.name} contains wrong labels; most published figures use the cleaned list",
            )
        )
    if known.version == "-":
        findings += _nearly(trials)
    return findings


def _nearly(trials: Trials) -> list[Finding]:
    """Tell of a list that is one of VoxCeleb1's with a few trials missing."""
    from avsieve.evaluation.trials import KNOWN_LISTS

    for (count, targets), known in KNOWN_LISTS.items():
        if 0 < count - len(trials) <= 0.002 * count and trials.n_targets <= targets:
            text = f"like {known.name} {known.version}, but {count - len(trials)} of its {count:,} trials are missing"
            return [Finding("note", "evaluation.trials", text)]
    return []


def _planned() -> Callable[[str], bool] | None:
    if not PLAN.is_file():
        return None
    from avsieve.storage.tables import read_table

    return set(read_table(PLAN, ["utterance"])["utterance"]).__contains__


def _covered(trials: Trials, is_there: Callable[[str], bool] | None) -> list[Finding]:
    key = "evaluation.trials"
    if is_there is None:
        return [Finding("note", key, "whether the source has these utterances is known after `snakemake fetch`")]
    step = -(-len(trials.utterances) // MOST_ASKED)
    asked = trials.utterances[::step]
    absent = [u for u in asked if not is_there(u)]
    if not absent:
        found = Finding("ok", key, f"all {len(asked):,} utterances that were looked for are in the source")
    else:
        text = (
            f"{len(absent):,} of {len(asked):,} utterances that were looked for are not in the source, as {absent[0]}"
        )
        if len(absent) == len(asked):
            return [Finding("error", key, text, "name the test set in the source")]
        found = Finding("warning", key, text, "their trials are left out and counted; use a source that has them")
    left = _left(trials, set(absent)) if step == 1 else ""
    return [
        found,
        *([Finding("error", key, left, "use trials of both kinds, or a source that has them")] if left else []),
    ]


def _left(trials: Trials, absent: set[str]) -> str:
    """Say what is left of the trials without ``absent`` utterances, if it is not some of both kinds."""
    import numpy as np

    there = np.array([u not in absent for u in trials.utterances])
    left = trials.is_target[there[trials.enrol] & there[trials.test]]
    if left.any() and not left.all():
        return ""
    text = f"{len(left):,} of {len(trials):,} trials can be scored"
    return f"{text}, all of them {'target' if left.all() else 'impostor'} trials" if len(left) else text


def _seen(config: Config) -> list[Finding]:
    """Find the trials of people whom a model is trained on: the evaluation refuses them, hours later."""
    from avsieve.evaluation.results import listed_speakers, refuse_seen_speakers
    from avsieve.evaluation.trial_lists import own_name
    from avsieve.evaluation.trials import read_trials
    from avsieve.lists.layouts import listed

    evaluation, findings = config.evaluation, []
    train_list = config.source.contract.train_list if config.fusion.models else None
    lists = []
    names = evaluation.trial_names or [""] * len(evaluation.trial_paths)
    for name, file in zip(names, evaluation.trial_paths, strict=True):
        with suppress(AvsieveError):  # told already
            trials = read_trials(file)
            lists.append((in_words(OFFICIAL, name or own_name(file, trials.recognise())), trials))
    if not lists:
        return []
    for path, key in [(p, "evaluation.trained_on") for p in evaluation.trained_on] + [
        (train_list, "evaluation.trials")
    ]:
        if path is None:
            continue
        try:
            speakers = listed_speakers(path) if key.endswith("on") else set(listed(path)["speaker"])
        except AvsieveError:
            continue  # told already
        for words, trials in lists:
            try:
                refuse_seen_speakers(trials, speakers, f"a model trained on {path}", words)
            except AvsieveError as error:
                remedy = "name other trials" if key.endswith("on") else "name other trials, or set fusion.models to []"
                findings.append(Finding("error", key, str(error), remedy))
    return findings


def _speakers(path: str, key: str) -> Finding:
    from avsieve.evaluation.results import listed_speakers

    try:
        return Finding("ok", key, f"{path}: {len(listed_speakers(path)):,} speakers")
    except AvsieveError as error:
        return Finding("error", key, str(error), "name the list that the encoder was trained on")


def _readable_list(path: str, key: str) -> Finding:
    from avsieve.lists.corpora import named
    from avsieve.lists.layouts import read_corpus_list

    try:
        frame = read_corpus_list(path)
    except AvsieveError as error:
        return Finding("error", key, str(error), "fix the list")
    return Finding("ok", key, f"{path}: {named(len(frame), frame['speaker'].nunique())}")


def _sex(path: str) -> Finding:
    from avsieve.evaluation.trial_maker import read_sex

    try:
        sexes = read_sex(path)
    except AvsieveError as error:
        return Finding("error", "evaluation.sex", str(error), "give speaker,sex or VoxCeleb's vox1_meta.csv")
    return Finding("ok", "evaluation.sex", f"{path}: {len(sexes):,} speakers")


def _truth(path: str) -> Finding:
    from avsieve.report.detection import read_truth

    try:
        truth = read_truth(path)
    except AvsieveError as error:
        return Finding("error", "source.truth", str(error), "fix the table, or leave source.truth out")
    wrong = int((truth["kind"] != "clean").sum())
    return Finding("ok", "source.truth", f"{path}: {len(truth):,} utterances, {wrong:,} of them wrong")


def _review(path: str) -> Finding:
    from avsieve.review.table import read_review

    try:
        rows = read_review(path)
    except AvsieveError as error:
        remedy = "fix the table, make it with avsieve review fold, or leave cleansing.review out"
        return Finding("error", "cleansing.review", str(error), remedy)
    return Finding("ok", "cleansing.review", f"{path}: {len(rows):,} reviewed utterances")
