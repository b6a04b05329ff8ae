from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.agreement import compare
from avsieve.errors import ListError


def flags(**clean):
    return pd.Series([bool(c) for c in clean.values()], index=[name.replace("_", "/") for name in clean])


FIRST = flags(a_v_1=1, a_v_2=0, b_v_1=0, b_v_2=0, c_v_1=1)
SECOND = flags(a_v_1=1, a_v_2=1, b_v_1=0, b_v_2=1, d_v_1=1)


def test_counts_are_those_of_what_both_lists_have():
    found, table = compare(FIRST, SECOND)
    assert (found.both_clean, found.only_first, found.only_second, found.both_noisy) == (1, 2, 0, 1)
    assert found.utterances == 4
    assert found.agreement == pytest.approx(0.5)
    assert table["speaker"].tolist() == ["a", "b"]
    assert table["utterances"].tolist() == [2, 2]


def test_kappa_is_one_for_the_same_list_and_nothing_where_neither_flags():
    assert compare(FIRST, FIRST)[0].kappa == pytest.approx(1.0)
    every = pd.Series(True, index=FIRST.index)
    assert np.isnan(compare(every, every)[0].kappa)


def test_lists_of_other_utterances_are_refused():
    with pytest.raises(ListError, match="no utterance is in both lists"):
        compare(flags(a_v_1=1), flags(b_v_1=1))
