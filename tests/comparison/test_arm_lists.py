import numpy as np
import pandas as pd
import pytest

from avsieve.comparison.arm_lists import thin, without_held_out, write_arm
from avsieve.errors import AvsieveError
from avsieve.lists.train_list import read_train_list
from avsieve.storage.tables import write_table

LINES = [f"s{s} s{s}/v/{u:05d}.wav {u}.5" for s in range(3) for u in range(4)]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "all.txt").write_text("\n".join(LINES) + "\n")
    plan = pd.DataFrame({"speaker": ["s0", "s1", "s2"], "held_out": [False, True, False]})
    write_table(tmp_path / "plan.parquet", plan)
    return tmp_path


def test_who_is_kept_for_testing_is_left_out_and_the_rest_stays_as_it_was(files):
    told = write_arm(files / "all.txt", files / "plan.parquet", files / "arm.txt")
    assert told == "8 utterances of 2 speakers"
    assert (files / "arm.txt").read_text().splitlines() == [x for x in LINES if not x.startswith("s1")]


def test_a_list_of_nobody_but_test_people_is_refused(files):
    write_table(files / "plan.parquet", pd.DataFrame({"speaker": ["s0", "s1", "s2"], "held_out": True}))
    with pytest.raises(AvsieveError, match="all of its speakers are held out for testing"):
        without_held_out(files / "all.txt", files / "plan.parquet")


@pytest.mark.parametrize(("most", "kept"), [(1, [0]), (2, [0, 3]), (3, [0, 2, 3]), (9, [0, 1, 2, 3]), (None, range(4))])
def test_a_thinned_list_keeps_evenly_spaced_utterances_of_everybody(files, most, kept):
    rows = thin(read_train_list(files / "all.txt"), most)
    assert rows["utterance"].tolist() == [f"s{s}/v/{u:05d}" for s in range(3) for u in kept]
    assert np.array_equal(rows.index, np.arange(len(rows)))
