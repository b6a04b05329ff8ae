"""What the page begins with: what was found, how sure that is, what it was worth, and what to do next, in sentences."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from avsieve.evaluation.labels import GIVEN, OFFICIAL, TRUSTED
from avsieve.report.audit import audit_in_words
from avsieve.report.detection import KIND_LABELS, expectation, found_wrong, judged_rows
from avsieve.report.errors import headline
from avsieve.report.run import Run
from avsieve.report.significance import VERDICTS
from avsieve.report.summary import percent, share


@dataclass(frozen=True)
class Step:
    """What to do next: a command, or a path to use, and what it is good for."""

    code: str
    words: str


@dataclass(frozen=True)
class Verdict:
    """The first screen: sentences on each question, and next steps."""

    found: list[str]
    sure: list[str]
    worth: list[str]
    steps: list[Step]


def verdict_of(run: Run) -> Verdict:
    """Say what a run found."""
    return Verdict(_found(run), _sure(run), [*_worth(run), *_encoders(run)], _steps(run))


def _found(run: Run) -> list[str]:
    found, n = found_wrong(run.decisions), int(run.summary["utterances"])
    total, judged = sum(found.values()), int(judged_rows(run.decisions).sum())
    speakers = int(run.summary["speakers"])
    if not total:
        return [f"No label of {n:,} utterances of {speakers:,} speakers was found wrong."]
    kinds = [f"in {count:,} the {KIND_LABELS[kind]}" for kind, count in found.items() if count]
    part = f"{percent(total / max(judged, 1), 1)} %"
    told = [f"{total:,} of {judged:,} labels that could be judged are believed wrong ({part}): {', '.join(kinds)}."]
    if n > judged:
        told.append(f"{n - judged:,} of {n:,} utterances could not be judged.")
    if suggested := int(run.summary.get("suggested_speakers", 0)):
        told.append(f"For {suggested:,} of the flagged another speaker of the list is suggested.")
    return told


def _sure(run: Run) -> list[str]:
    told = []
    if (d := run.detection) is not None:
        told.append(
            f"By the truth, which is known here, precision is {share(d.precision)} and recall {share(d.recall)}: "
            f"{d.hits:,} of {d.true:,} wrong labels were found."
        )
    expected = expectation(run.summary)
    # Where nothing is flagged there is no precision, and it is not said to be none.
    in_words = {"precision": "of a hundred flagged labels about {:.0f} are wrong",
                "recall": "of a hundred wrong ones about {:.0f} are flagged"}  # fmt: skip
    if known := {name: value for name in in_words if (value := expected[name]) is not None}:
        figures = " and ".join(f"{name} {share(value)}" for name, value in known.items())
        words = ", and ".join(in_words[name].format(100 * value) for name, value in known.items())
        told.append(f"The method expects {'of itself ' if run.detection else ''}{figures}: {words}.")
    elif run.detection is None:
        told.append("The method gives decisions without probabilities, so how good they are is not known.")
    if run.audit_misfit:
        told.append(f"{_upper(run.audit_misfit)}, so its figures say nothing here.")
    elif words := audit_in_words(run.audit):
        told.append(words)
    if reviewed := (run.summary.get("review") or {}).get("utterances"):
        told.append(f"People have judged {reviewed:,} of the utterances; their decisions stand.")
    if (found := run.summary.get("anchors")) and found["known"]:
        recall = f"recall {share(found['recall'])}, 95 % interval {share(found['low'])} to {share(found['high'])}"
        told.append(
            f"Of {found['known']:,} labels that people had found wrong before, {found['flagged']:,} are flagged "
            f"({recall})."
        )
    return told


def _worth(run: Run) -> list[str]:
    """Say what the cleansing changed, of the model that the configuration names."""
    if not run.evaluated:
        return ["What the cleansing is worth was not measured in this run."]
    item = run.evaluated[0]
    row = headline(item.rows(), run.headline)
    if row is None:
        return ["What the cleansing is worth was not measured in this run."]
    on = f" on {item.what}" if item.labels in (TRUSTED, GIVEN, OFFICIAL) else ""
    if row["untrained"]:
        value = row["untrained"]
        bounds = ""
        if "eer_low" in value:
            bounds = f", 95 % interval {percent(value['eer_low'])} to {percent(value['eer_high'])} %"
        told = f"has an equal error rate (EER) of {percent(value['eer'])} %{bounds}{on}"
        return [f"{_upper(row['label'])}, which is not trained, {told}."]
    told = (
        f"{_upper(row['label'])}, trained on all and on the cleansed list: equal error rate (EER) "
        f"{percent(row['before']['eer'])} and {percent(row['after']['eer'])} %{on}."
    )
    return [f"{told} {_of_gain(row['gain'])}"]


def _encoders(run: Run) -> list[str]:
    """Say what the same encoders gain that were trained on either list."""
    chosen = [row for row in run.compared if row["system"].endswith("_encoder") and row["scores"] == "raw"]
    return [
        f"{_upper(row['label'])}, trained anew on all and on the cleansed list: EER {percent(row['eer_all'])} and "
        f"{percent(row['eer_clean'])} %. {_of_gain(row)}"
        for row in chosen
    ]


def _of_gain(gain: dict[str, Any] | None) -> str:
    if gain is None or gain["verdict"] == "none":
        return "There is no interval, so nothing can be concluded from the difference."
    bounds = f"{percent(gain['eer_gain_low'])} to {percent(gain['eer_gain_high'])} points"
    return f"The gain is {percent(gain['eer_gain'])} points, 95 % interval {bounds}: {VERDICTS[gain['verdict']]}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _steps(run: Run) -> list[Step]:
    here = shlex.quote(run.folder)
    steps = [Step(f"{run.folder}/lists/train_clean.txt", "the list to train on: what is believed right")]
    if sum(found_wrong(run.decisions).values()):
        steps += [
            Step(f"avsieve review {here}", "look at and listen to what was flagged; your decisions override the list"),
            Step(f"avsieve review {here} --plan 200", "or judge 200 clips that tell how good the list is"),
            Step(f"avsieve inspect {here}", "counts, the worst speakers and videos; avsieve show UTTERANCE says why"),
        ]
    if not run.audit or run.audit_misfit:
        words = "breaks labels on purpose and counts how many are found; the next run shows it here"
        steps.append(Step("snakemake --cores 2 audit_noise", words))
    return steps
