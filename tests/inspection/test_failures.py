from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.failures import all_ok, count_failures, failures_of, status_tables
from avsieve.inspection.run_files import RunFiles, find_run
from avsieve.storage import paths as P
from avsieve.storage.tables import write_table


def test_each_utterance_counts_for_the_stage_that_it_failed_in_first(run: RunFiles) -> None:
    # What has no face has no embedding of it either: that is a consequence, and counted once.
    (found,) = failures_of(run)
    assert (found.stage, found.code, found.count) == ("align", "no_face", 2)
    assert found.meaning == "the detector found no face in any frame"


def test_tables_without_a_failure_are_told_by_their_statistics(run: RunFiles, tmp_path: Path) -> None:
    tables = status_tables(run.folder)
    assert [path.parent.name for path in tables[::2]] == ["media", "extract", "align", "embed_audio", "embed_visual"]
    assert [all_ok(path) for path in tables[::2]] == [True, True, False, True, False]
    write_table(tmp_path / "none.parquet", pd.DataFrame({"utterance": [], "code": [], "detail": []}, dtype=str))
    assert count_failures([tmp_path / "none.parquet"]) == []


def test_a_folder_of_avsieve_cleanse_has_no_failures_of_stages(flat: Path) -> None:
    assert failures_of(find_run(flat)) == []


def test_a_table_that_lacks_a_column_is_told(tmp_path: Path) -> None:
    path = tmp_path / P.of("{shard}.status.parquet", shard="000")
    write_table(path, pd.DataFrame({"utterance": ["a/b/c"]}))
    with pytest.raises(AvsieveError, match=r"columns \['code', 'detail'\] are missing"):
        count_failures([path])
