from __future__ import annotations

import pandas as pd

from avsieve.lists.durations import durations_of
from avsieve.storage.tables import write_table


def test_the_users_text_wins_the_media_fill_in_and_what_nobody_knows_is_nan(tmp_path):
    plan = pd.DataFrame(
        {
            "utterance": ["a/v/1", "a/v/2", "a/v/3", "t/v/1"],
            "subset": ["train", "train", "train", "test"],
            "seconds": ["7.36", "", "", "1.0"],
        }
    )
    write_table(tmp_path / "plan.parquet", plan)
    write_table(tmp_path / "0.parquet", pd.DataFrame({"utterance": ["a/v/1", "a/v/2"], "duration_s": [9.0, 4.25]}))
    found = durations_of(tmp_path / "plan.parquet", [tmp_path / "0.parquet"])
    assert found == (["a/v/1", "a/v/2", "a/v/3"], ["7.36", "4.250", "nan"])
    write_table(tmp_path / "given.parquet", plan[:1])
    assert durations_of(tmp_path / "given.parquet") == (["a/v/1"], ["7.36"])
