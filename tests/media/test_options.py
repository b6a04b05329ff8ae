from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from avsieve.media.options import add_media_options, roots_of

GIVEN = {
    "--index": "i.parquet", "--train-root": "clips", "--max-failed": "0.1", "--modalities": "both", "--threads": "2",
    "--interval-s": "0.4", "--min-audio-s": "0.5", "--limits": "{}",
}  # fmt: skip


def parse(given: dict[str, str]) -> argparse.Namespace:
    ap = argparse.ArgumentParser()
    add_media_options(ap)
    return ap.parse_args([word for pair in given.items() for word in pair])


@pytest.mark.parametrize("name", list(GIVEN))
def test_no_option_of_a_rule_has_a_default(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse({key: value for key, value in GIVEN.items() if key != name})
    assert name in capsys.readouterr().err


def test_test_clips_lie_with_the_training_clips_unless_told() -> None:
    assert roots_of(parse(GIVEN)) == {"roots": {"train": Path("clips"), "test": Path("clips")}, "audio_roots": {}}
    apart = roots_of(parse(GIVEN | {"--test-root": "t", "--train-audio-root": "s"}))
    assert apart == {"roots": {"train": Path("clips"), "test": Path("t")}, "audio_roots": {"train": Path("s")}}


def test_the_bounds_are_those_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(GIVEN | {"--interval-s": "0.0001"})
    assert "--interval-s" in capsys.readouterr().err
