"""Which utterances the embedded corpus has."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import pandas as pd

from avsieve.storage.atomic import write_text
from avsieve.synthetic.corpus import CorpusSettings, plan_rows, speaker_rows, truth_rows


def add_corpus_options(ap: argparse.ArgumentParser) -> None:
    """Add an option for each setting of the corpus."""
    for field in fields(CorpusSettings):
        ap.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)


def settings_of(args: argparse.Namespace) -> CorpusSettings:
    """Return the settings that the command line gave."""
    return CorpusSettings(**{field.name: getattr(args, field.name) for field in fields(CorpusSettings)})


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    add_corpus_options(ap)
    ap.add_argument("--speakers-table", type=Path, required=True, help="where to write speaker and sex (CSV)")
    ap.add_argument("--truth", type=Path, required=True, help="where to write who is really seen and heard (CSV)")


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances, and write the truth beside the stages' way."""
    settings = settings_of(args)
    write_text(args.truth, truth_rows(settings).to_csv(index=False, lineterminator="\n"))
    write_text(args.speakers_table, speaker_rows(settings).to_csv(index=False, lineterminator="\n"))
    return plan_rows(settings)
