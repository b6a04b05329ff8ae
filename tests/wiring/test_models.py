from __future__ import annotations

import pytest

from avsieve.config.model import parse_config
from avsieve.wiring.models import builtin_on_real


@pytest.mark.parametrize(
    ("source", "more", "expected"),
    [
        ({"kind": "synthetic"}, {}, []),
        ({"kind": "tree", "tree": {"root": "x"}}, {}, ["audio.checkpoint", "faces.detector", "visual.model"]),
        ({"kind": "tree", "tree": {"root": "x"}, "modalities": "audio"}, {}, ["audio.checkpoint"]),
        (
            {"kind": "tree", "tree": {"root": "x"}},
            {"audio": {"checkpoint": "a.safetensors"}, "visual": {"model": "buffalo_l"}},
            ["faces.detector"],
        ),
        (
            {"kind": "frames", "frames": {"faces": "f", "wavs": "w", "aligned": True}},
            {},
            ["audio.checkpoint", "visual.model"],
        ),
        ({"kind": "embeddings", "embeddings": {"train_list": "l", "audio": "a.npz", "visual": "v.npz"}}, {}, []),
    ],
)
def test_builtin_models_are_told_where_real_people_are_seen_and_heard(
    source: dict, more: dict, expected: list[str]
) -> None:
    assert builtin_on_real(parse_config({"source": source, **more})) == expected
