"""The published weights that trainings of fusion models begin with."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Config


def check_fusion(config: Config) -> list[Finding]:
    """Read each file of weights; whether it fits the embeddings is known only when there are some."""
    fusion = config.fusion
    named = {name: getattr(fusion.own(name), "weights", None) for name in fusion.names}
    return [_looked(f"fusion.models: {name}", path) for name, path in named.items() if path is not None]


def _looked(key: str, path: str) -> Finding:
    if find_spec("torch") is None:
        return Finding("note", key, "not checked: torch is not installed")
    from avsieve.encoders.published import read_published

    try:
        found = read_published(path)
    except AvsieveError as error:
        return Finding("error", key, str(error), "name a file of published weights, or leave weights out")
    kind = f", a {found.kind}" if found.kind else ""
    return Finding("ok", key, f"{path}: {len(found.tensors):,} tensors{kind}")
