"""Which utterances the embedded corpus has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.storage.atomic import write_text
from avsieve.synthetic.corpus import CorpusSettings, plan_rows, speaker_rows, truth_rows

if TYPE_CHECKING:
    from avsieve.sources.synthetic.settings import Synthetic


def corpus_of(settings: Synthetic) -> CorpusSettings:
    """Return what these settings make."""
    return CorpusSettings(**settings.model_dump())


def plan(settings: Synthetic, *, speakers_table: Path, truth: Path) -> pd.DataFrame:
    """Return the utterances, and write the truth beside the stages' way.

    Parameters
    ----------
    speakers_table
        Where to write speaker and sex (CSV).
    truth
        Where to write who is really seen and heard (CSV).
    """
    corpus = corpus_of(settings)
    write_text(truth, truth_rows(corpus).to_csv(index=False, lineterminator="\n"))
    write_text(speakers_table, speaker_rows(corpus).to_csv(index=False, lineterminator="\n"))
    return plan_rows(corpus)
