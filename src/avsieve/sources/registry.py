"""The sources by name, in the order in which the configuration lists them."""

from __future__ import annotations

from typing import Any

from avsieve.registry import Registry
from avsieve.sources.contract import SourceContract

SOURCES: Registry[type[SourceContract[Any]]] = Registry(
    "source",
    {
        "synthetic": "avsieve.sources.synthetic.contract:SyntheticSource",
        "tree": "avsieve.sources.tree.contract:TreeSource",
        "archive": "avsieve.sources.archive.contract:ArchiveSource",
        "urls": "avsieve.sources.urls.contract:UrlsSource",
        "voxceleb": "avsieve.sources.voxceleb.contract:VoxcelebSource",
        "frames": "avsieve.sources.frames.contract:FramesSource",
        "embeddings": "avsieve.sources.embeddings.contract:EmbeddingsSource",
    },
)
