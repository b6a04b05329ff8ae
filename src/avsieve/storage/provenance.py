"""Provenance: what made a shard, beside the shard."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from avsieve import __version__
from avsieve.storage.atomic import write_json
from avsieve.storage.file_digest import sha256_of

__all__ = ["sha256_of", "versions", "write_provenance"]


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of ``packages``; ``absent`` where one is not installed."""
    found = {"avsieve": __version__}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def write_provenance(path: str | Path, *, stage: str, packages: list[str], **facts: Any) -> None:
    """Write what made a shard: stage, package versions and ``facts`` such as device, provider or model digests.

    Nothing that differs between two runs of the same work (times, hosts, absolute paths) belongs here: a rerun must
    give equal bytes.
    """
    write_json(path, {"stage": stage, "versions": versions(*packages), **facts})
