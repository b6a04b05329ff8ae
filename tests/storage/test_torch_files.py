from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from avsieve.embedding_files.reading import read_tables
from avsieve.encoders.checkpoint import read_state
from avsieve.errors import AvsieveError, ModelError
from avsieve.storage.torch_files import load_torch, unsafe_globals
from avsieve.training import state


@pytest.fixture
def astray(tmp_path: Path) -> Path:
    """Return a file whose zip64 record says that its directory begins 2^64 - 1 bytes into it."""
    path = tmp_path / "x.pt"
    torch.save({"a/v/1": torch.ones(4)}, path)
    content = path.read_bytes()
    path.write_bytes(content[:-50] + b"\xff" * 8 + content[-42:])
    return path


def test_data_is_read_and_nothing_in_it_is_refused(tmp_path: Path) -> None:
    torch.save({"x": torch.arange(3)}, tmp_path / "x.pt")
    assert load_torch(tmp_path / "x.pt")["x"].tolist() == [0, 1, 2]
    assert unsafe_globals(tmp_path / "x.pt") == []


def test_a_directory_that_leads_out_of_the_file_is_damage(astray: Path) -> None:
    for read in (load_torch, unsafe_globals):
        with pytest.raises(ValueError, match="places outside of it"):
            read(astray)
    with pytest.raises(ModelError, match=re.escape(f"{astray}: not readable as tensors alone (its directory names")):
        read_state(astray)
    with pytest.raises(ModelError, match=r"not readable .its directory names .* remove it to train from the beginning"):
        state.read_state(astray, "x")
    with pytest.raises(AvsieveError, match="is it whole"):
        read_tables(astray)


def test_a_file_that_is_not_there_is_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_torch(tmp_path / "none.pt")
