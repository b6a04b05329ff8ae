from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.errors import AvsieveError


def test_names_that_do_not_agree_are_refused(scored):
    tables = {"audio": EmbeddingTable(["other/v/1"], np.ones((1, 4))), "visual": None}
    with pytest.raises(AvsieveError, match="names must match"):
        score_table(scored.corpus.plan[["utterance", "speaker"]], tables)
