from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.figures import COUNTED, EXPECTED, MEASURED, expected, figures_of, measured, read_json
from avsieve.inspection.run_files import find_run
from avsieve.report.detection import KINDS
from avsieve.storage import paths as P


def test_every_figure_tells_where_it_comes_from(copied: Path) -> None:
    run = find_run(copied)
    summary = read_json(run.summary, "the summary")
    assert {f.origin for f in figures_of(run, summary, {})} == {EXPECTED}
    audit = {"measured": {"precision": {"value": 0.9, "low": 0.8, "high": 0.95}}}
    decisions = pd.read_parquet(run.decisions)
    truth = decisions[["utterance"]].assign(kind=decisions["kind"].map(KINDS | {"": "clean"}))
    P.below(run.folder, P.truth.table).parent.mkdir()
    truth.to_csv(P.below(run.folder, P.truth.table), index=False)
    found = figures_of(run, summary, audit)
    assert [f.origin for f in found] == [COUNTED] * 3 + [MEASURED] + [EXPECTED] * 3
    assert found[0].value == 1.0
    assert (found[3].name, found[3].value, found[3].low, found[3].high) == ("precision", 0.9, 0.8, 0.95)


def test_what_is_not_known_is_no_figure() -> None:
    assert expected({"estimated": None}) == []
    assert [f.name for f in expected({"estimated": {"precision": None, "recall": 0.5, "f1": None}})] == ["recall"]
    assert measured({"measured": {"precision": {"value": None}}}) == []


def test_a_summary_that_is_broken_off_is_told(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(AvsieveError, match=r"summary.json: the summary cannot be read .* run its stage again"):
        read_json(tmp_path / "summary.json", "the summary")
    (tmp_path / "summary.json").write_text("[]")
    with pytest.raises(AvsieveError, match=r"is list; expected a JSON object"):
        read_json(tmp_path / "summary.json", "the summary")
