from __future__ import annotations

from collections.abc import Iterator

import pytest

from .faulty_server import FaultyServer


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """A web server on this machine that misbehaves as it is told."""
    server = FaultyServer()
    yield server
    server.close()
