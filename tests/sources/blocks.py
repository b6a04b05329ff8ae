"""Settings of sources, from the paths that tests have at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from avsieve.settings import Block

B = TypeVar("B", bound=Block)


def settings(block: type[B], **values: Any) -> B:
    """Return a block; paths become the text that a configuration has."""

    def text(value: Any) -> Any:
        return [text(v) for v in value] if isinstance(value, list) else str(value) if isinstance(value, Path) else value

    return block(**{name: text(value) for name, value in values.items()})
