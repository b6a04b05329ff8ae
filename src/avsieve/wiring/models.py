"""What the configuration says of the models that find faces and make embeddings. Runs inside Snakemake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from avsieve.config.model import Config
from avsieve.storage.crops import ALIGNED


def model_file(value: str) -> list[str]:
    """Return ``value`` as an input when it is the path of a file; ``builtin`` and pack names are none."""
    return [value] if Path(value).suffix else []


def model_paths(*values: str) -> list[str]:
    """Return those of ``values`` that are files or folders of models, whose content is a parameter."""
    # Of a name that can be none `os.path` says that there is no such folder, where pathlib raises.
    return [value for value in values if Path(value).suffix or os.path.isdir(value)]  # noqa: PTH112


def face_settings(config: Config) -> dict[str, Any]:
    """Return what decides how faces are found and aligned, by the options of `avsieve.faces.options`."""
    faces, source = config.faces.model_dump(), config.source.contract
    return {
        **{name: value for name, value in faces.items() if name not in ("jpeg_quality", "crops")},
        "face_jpeg_quality": faces["jpeg_quality"],
        "aligned": source.aligned,
        # Named where they are not the usual ones alone: nothing that has always been so looks new.
        "crops": config.written_crops[1:],
        "aligned_as": source.aligned_as if source.aligned and source.aligned_as != ALIGNED else None,
    }


def builtin_on_real(config: Config) -> list[str]:
    """Return the keys of the models that are ``builtin``, where the source has real people: these models know none."""
    source = config.source.contract
    if source.made_up or not source.has_media:
        return []
    used = {"audio.checkpoint": config.audio.checkpoint}
    if "visual" in source.modalities:
        used["visual.model"] = config.visual.model
        if not source.aligned:
            used["faces.detector"] = config.faces.detector
    return sorted(key for key, value in used.items() if value == "builtin")
