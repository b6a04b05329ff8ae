from __future__ import annotations

import pytest

from avsieve.config.model import parse_config
from avsieve.doctor.measure import measure_rates


def test_every_stage_is_timed_on_clips_of_the_source() -> None:
    pytest.importorskip("torch")
    values = {"source": {"synthetic": {"speakers": 4, "videos": 1, "utterances": 1, "duration_s": 1.0}}}
    rates, told = measure_rates(parse_config(values), 2)
    assert set(rates) == {"fetch", "extract", "align", "embed_audio", "embed_visual"}
    assert all(0 < rate.core_s < 10 and rate.origin == "measured here" for rate in rates.values())
    assert "2 clips" in told[0].text


def test_nothing_is_downloaded_to_be_timed() -> None:
    rates, told = measure_rates(parse_config({"source": {"kind": "urls", "urls": {"table": "x.csv"}}}), 2)
    assert rates == {}
    assert "downloaded" in told[0].text
