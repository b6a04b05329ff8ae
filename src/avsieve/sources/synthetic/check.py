"""What the embedded corpus says about itself before a run."""

from __future__ import annotations

from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.synthetic.settings import Synthetic


def check(settings: Synthetic, modalities: str) -> SourceFacts:
    """Count what will be rendered; nothing is needed from outside."""
    train = settings.speakers * settings.videos * settings.utterances
    test = settings.test_speakers * settings.test_videos * settings.test_utterances
    text = (
        f"synthetic people: {train:,} utterances of {settings.speakers:,} speakers, and {test:,} of "
        f"{settings.test_speakers:,} to test; {settings.noise:.0%} mislabelled on purpose"
    )
    findings = [Finding("ok", "source", text)]
    if modalities == "audio":
        findings.append(Finding("note", "source.modalities", "audio: the faces are rendered and not used"))
    return SourceFacts(findings, utterances=train + test, seconds=(train + test) * settings.duration_s)
