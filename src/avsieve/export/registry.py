"""The forms of an export: each is a rule ``export_NAME`` and a command ``avsieve export NAME``."""

from __future__ import annotations

from typing import Any

from avsieve.export.form import ExportForm
from avsieve.registry import Registry

FORMS: Registry[ExportForm[Any]] = Registry(
    "export form",
    {
        "tree": "avsieve.export.tree:TREE",
        "webdataset": "avsieve.export.webdataset:WEBDATASET",
        "parquet": "avsieve.export.parquet:PARQUET",
        "spotlight": "avsieve.export.spotlight:SPOTLIGHT",
        "fiftyone": "avsieve.export.fiftyone:FIFTYONE",
    },
)
