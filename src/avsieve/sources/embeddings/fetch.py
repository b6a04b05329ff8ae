"""There is nothing to fetch: the rules of this source split the tables in place of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.storage.status import StatusTable

if TYPE_CHECKING:
    from avsieve.sources.embeddings.contract import Embeddings


def fetch(rows: pd.DataFrame, settings: Embeddings) -> tuple[pd.DataFrame, StatusTable]:
    """Say that there are no clips.

    Raises
    ------
    AvsieveError
        Always.
    """
    raise AvsieveError(
        "source.kind is embeddings: there are no clips, frames, wavs or faces, and nothing can be trained on them; "
        "name a source of clips for that"
    )
