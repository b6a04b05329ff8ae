from __future__ import annotations

from pathlib import Path

from avsieve.config.model import Config
from avsieve.wiring.flags import flags, shell_prefix


def test_settings_become_flags() -> None:
    values = {
        "min_score": 0.5,
        "name": "a b",
        "nothing": None,
        "on": True,
        "off": False,
        "many": [1, "x y"],
        "none": [],
    }
    assert flags(values) == "--min-score 0.5 --name 'a b' --on --no-off --many 1 'x y'"
    assert flags(values, leave=["many", "name"]) == "--min-score 0.5 --on --no-off"
    assert flags({"title": "-5 dB {1}"}) == "--title='-5 dB {1}'"
    media = flags(Config().media, leave=["keep_frames", "limits"])
    assert media == "--interval-s 0.4 --jpeg-quality 95 --min-audio-s 0.5"


def test_the_prefix_puts_the_library_on_the_path_and_leaves_conda_its_python() -> None:
    own = shell_prefix(Path("/x/src"), Path("/x/scripts"), "results", own_environments=True)
    assert "PYTHONPATH=/x/src" in own
    assert "PATH=/" not in own.replace("PYTHONPATH=/", "")
    assert "export PATH=" in shell_prefix(Path("/x/src"), Path("/x/scripts"), "results", own_environments=False)


def test_braces_of_a_folder_are_doubled_in_the_prefix() -> None:
    prefix = shell_prefix(Path("/x {2024}/src"), Path("/x {2024}/scripts"), "results", own_environments=False)
    assert "PYTHONPATH='/x {2024}/src'" in prefix.format()
