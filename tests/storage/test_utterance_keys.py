from __future__ import annotations

import numpy as np

from avsieve.storage.utterance_keys import key_of, keys_of


def test_an_utterance_has_one_number_alone_or_among_others() -> None:
    names = ["id00012/21Uxsk56VDQ/00001", "ü/v/1", ""]
    assert keys_of(names).tolist() == [int(key_of(name)) for name in names]
    assert int(key_of("a/v/1")) == 0xF4A831A550913313  # whatever the machine
    assert (keys_of([]).dtype, len(keys_of([]))) == (np.uint64, 0)


def test_many_utterances_have_as_many_numbers() -> None:
    names = [f"id{k // 100:05d}/v/{k:05d}" for k in range(20_000)]
    assert len(set(keys_of(names).tolist())) == 20_000
