"""What the labels of a trial list stand on. Runs inside Snakemake too, and imports nothing."""

from __future__ import annotations

TRUTH, OFFICIAL, TRUSTED, GIVEN = "truth", "official", "trusted", "given"

# In the order in which a headline prefers them.
LABELS = {
    TRUTH: "trials whose labels are known to be right",
    OFFICIAL: "a trial list that the configuration names",
    TRUSTED: "trials on utterances that the cleansing trusts",
    GIVEN: "trials with the labels as they were given",
}


def in_words(labels: str, name: str) -> str:
    """Say what a list of trials is: a list of the user's by its name, one that a run made by its labels."""
    return f"the trial list {name}" if labels == OFFICIAL else LABELS.get(labels, labels)


CAUTION = (
    "Trusted trials leave out what the cleansing doubts, so they are optimistic where it errs by leaving out hard "
    "ones. "
    "Trials with the labels as given carry the list's own wrong labels, so their EER has a floor that no model gets "
    "below."
)
