"""Configurations of strangers: nothing in them runs, and none takes the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.doctor.settings import read_settings, repeated_keys
from avsieve.errors import ConfigError

_ALIASES = "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"a0: &a0 [x,x,x,x,x,x,x,x,x]\n{_ALIASES}source: {{tree: {{root: *a9}}}}\n", "aliases make more than"),
        ("source: &s {tree: *s}\n", "holds itself"),
        ("shards: &s [*s]\n", "holds itself"),
        ('{"a":' * 20_000, "nests too deep"),
        ("shards: " + "9" * 10_000, "digits"),
        ("shards: 2024-13-45\n", "month"),
    ],
)
def test_values_without_end_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as raised:
        read_settings([path])
    assert len(str(raised.value)) < 2000
    repeated_keys(path)  # comes to an end


def test_a_tag_runs_nothing(tmp_path: Path) -> None:
    path, made = tmp_path / "c.yaml", tmp_path / "made"
    path.write_text(f"shards: !!python/object/apply:os.system ['touch {made}']\n")
    with pytest.raises(ConfigError, match="could not determine a constructor"):
        read_settings([path])
    assert not made.exists()
