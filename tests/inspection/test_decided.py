from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.decided import Coded, Decided, read_decided


def test_texts_become_codes_and_come_back() -> None:
    for column in (pa.array(["b", None, "a", "b"]), pa.chunked_array([["b", None], ["a", "b"]])):
        coded = Coded.of(column)
        assert [coded.text(k) for k in range(4)] == ["b", None, "a", "b"]
        assert coded.counts() == {"b": 2, "a": 1}
        assert coded.is_("b").tolist() == [True, False, False, True]
        assert not coded.is_("c").any()
    encoded = pa.chunked_array([pa.array(["x", "y"]).dictionary_encode(), pa.array(["y"]).dictionary_encode()])
    assert Coded.of(encoded).counts() == {"y": 2, "x": 1}
    for kind in (pa.string(), pa.null(), pa.dictionary(pa.int32(), pa.null())):
        assert len(Coded.of(pa.chunked_array([], kind)).code) == 0


def test_decisions_are_read_as_they_stand(decided: Decided, table: pd.DataFrame) -> None:
    assert decided.utterance.to_pylist() == table["utterance"].tolist()
    for name, column in (("speaker", decided.speaker), ("kind", decided.kind), ("reason", decided.reason)):
        assert [column.text(k) for k in range(len(table))] == table[name].tolist()
    assert [decided.video.text(k) for k in range(9)] == [u.rsplit("/", 1)[0] for u in table["utterance"][:9]]
    assert decided.flagged.tolist() == (table["decision"] == "noisy").tolist()
    np.testing.assert_array_equal(decided.p_wrong, table["p_wrong"].to_numpy())
    assert decided.row_of(table["utterance"][7]) == 7
    assert decided.row_of("nobody/at/all") == -1


def test_a_table_of_another_kind_is_told_with_what_it_lacks(tmp_path: Path) -> None:
    pd.DataFrame({"utterance": ["a/b/c"]}).to_parquet(tmp_path / "decisions.parquet")
    with pytest.raises(AvsieveError, match=r"columns \['speaker', .*\] are missing"):
        read_decided(tmp_path / "decisions.parquet")
