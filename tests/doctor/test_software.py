"""What the doctor looks for among the installed packages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avsieve.config.model import parse_config
from avsieve.doctor import software
from avsieve.encoders.registry import AUDIO


def test_the_packages_of_an_encoder_are_looked_for_where_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def packages(extras: list[str]) -> list[software.Finding]:
        asked.append(extras)
        return []

    monkeypatch.setattr(software, "_packages", packages)
    software.check_software(parse_config({}))
    needing = {name: replace(entry, extra="own") for name, entry in AUDIO.items()}
    monkeypatch.setattr(software, "AUDIO", needing)
    software.check_software(parse_config({}))
    assert asked == [[], ["own"]]
