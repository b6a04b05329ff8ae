from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.inspection.decided import Decided
from avsieve.inspection.run_files import RunFiles
from avsieve.inspection.usual import measures


def test_a_number_stands_beside_the_corpus_and_the_speakers_others(
    run: RunFiles, decided: Decided, table: pd.DataFrame
) -> None:
    row = int(np.flatnonzero(table["decision"] == "noisy")[0])
    found = {m.name: m for m in measures(decided, row, run.scores, run.decisions)}
    own = found["audio_similarity"]
    clean = table["audio_similarity"][table["decision"] == "clean"]
    others = table["audio_similarity"][(table["speaker"] == table["speaker"][row])].drop(row)
    assert own.value == pytest.approx(table["audio_similarity"][row])
    assert (own.corpus_low, own.corpus_median) == pytest.approx(tuple(np.percentile(clean, (5, 50))), rel=1e-5)
    assert own.speaker_median == pytest.approx(others.median(), rel=1e-5)
    assert (own.below, own.others) == (int((others < table["audio_similarity"][row]).sum()), len(others))
    assert own.percentile == 100 * own.below / own.others
    assert "audio_metric_similarity" in found


def test_without_the_evidence_the_decisions_give_the_numbers(run: RunFiles, decided: Decided) -> None:
    found = {m.name: m for m in measures(decided, 3, Path("nowhere"), run.decisions)}
    with_evidence = {m.name: m for m in measures(decided, 3, run.scores, run.decisions)}
    assert found["visual_margin"] == with_evidence["visual_margin"]
    assert found["visual_nearest_similarity"].value == with_evidence["visual_other1"].value
