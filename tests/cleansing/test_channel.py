from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.channel import Listed, variances, with_channels
from avsieve.cleansing.inputs import unit_rows
from avsieve.embedding_files.table import EmbeddingTable

SPEAKERS, VIDEOS, EACH, DIM = 30, 6, 5, 200
SHARE = 0.4


@pytest.fixture(scope="module")
def listed():
    """People of length .6, and residuals of length .8 whose variance videos share to 40 %."""
    rng = np.random.default_rng(0)
    person = unit_rows(rng.standard_normal((SPEAKERS, DIM)))
    speaker = np.repeat(np.arange(SPEAKERS), VIDEOS * EACH)
    video = np.repeat(np.arange(SPEAKERS * VIDEOS), EACH)
    channel = rng.standard_normal((SPEAKERS * VIDEOS, DIM)) / np.sqrt(DIM)
    noise = rng.standard_normal((len(speaker), DIM)) / np.sqrt(DIM)
    E = unit_rows(0.6 * person[speaker] + 0.8 * (np.sqrt(SHARE) * channel[video] + np.sqrt(1 - SHARE) * noise))
    names = [f"u{i}" for i in range(len(E))]
    return Listed(EmbeddingTable(names, E), names, speaker, video, np.ones(len(E), bool))


def agreement(listed, e, to):
    """Cosine with the rest of the video of row ``to``."""
    rest = np.flatnonzero((listed.video == listed.video[to]) & (np.arange(len(listed.video)) != to))
    return float(e @ unit_rows(listed.table.embedding[rest].sum(axis=0, keepdims=True))[0])


def test_the_variance_of_the_channel_is_recovered(listed):
    sums, count = listed.sums(listed.video)
    total, size = listed.sums(listed.speaker)
    owner = listed.speaker[::EACH]
    found = variances(sums, count, total[owner] - sums, size[owner] - count)
    assert found.common == pytest.approx(0.64 * SHARE, abs=0.02)
    assert found.single == pytest.approx(0.64 * (1 - SHARE), abs=0.02)
    assert found.prediction(4) < found.prediction(40) < 1


def test_nothing_is_in_common_where_each_video_is_one_utterance(listed):
    first = listed.table.embedding[::EACH]
    one, owner = np.ones(len(first)), listed.speaker[::EACH]
    total = np.zeros((SPEAKERS, DIM))
    np.add.at(total, owner, first)
    assert variances(first, one, total[owner] - first, VIDEOS - one).prediction(3) == 0


def test_an_embedding_agrees_with_the_video_it_is_put_into_as_if_recorded_there(listed):
    rng = np.random.default_rng(1)
    rows = rng.permutation(len(listed.names))[:400]
    pairs = [
        (int(a), int(b)) for a, b in zip(rows[:200], rows[200:], strict=True) if listed.speaker[a] != listed.speaker[b]
    ]
    table, names = with_channels(listed, pairs, "made/")
    assert table.embedding.shape == (len(listed.names) + len(pairs), DIM)
    made = table.embedding[[table.row[n] for n in names]]
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    before = np.mean([agreement(listed, listed.table.embedding[d], to) for to, d in pairs])
    after = np.mean([agreement(listed, e, to) for e, (to, _) in zip(made, pairs, strict=True)])
    # Strangers in one recording share 0.8^2 * 0.4 of it; the mean of four others has length sqrt(.36 + .64 * .55).
    expected = 0.64 * SHARE / np.sqrt(0.36 + 0.64 * (SHARE + (1 - SHARE) / 4))
    assert before == pytest.approx(0, abs=0.02)
    assert after == pytest.approx(expected, abs=0.03)
    # Whose voice it is stays what it was.
    total, _ = listed.sums(listed.speaker)
    own = np.mean([e @ unit_rows(total)[listed.speaker[d]] for e, (_, d) in zip(made, pairs, strict=True)])
    label = np.mean([e @ unit_rows(total)[listed.speaker[to]] for e, (to, _) in zip(made, pairs, strict=True)])
    assert own > 0.5
    assert label < 0.15


def test_a_video_with_nothing_else_lends_no_channel(listed):
    alone = Listed(listed.table, listed.names, listed.speaker, np.arange(len(listed.names)), listed.trusted)
    table, names = with_channels(alone, [(0, 500)], "made/")
    np.testing.assert_allclose(table.embedding[table.row[names[0]]], listed.table.embedding[500], atol=1e-6)


def test_a_mixed_voice_lies_between_its_own_person_and_the_other(listed):
    rows = np.random.default_rng(2).permutation(len(listed.names))[:100]
    pairs = [
        (int(a), int(b)) for a, b in zip(rows[:50], rows[50:], strict=True) if listed.speaker[a] != listed.speaker[b]
    ]
    total, _ = listed.sums(listed.speaker)
    centres = unit_rows(total)
    to, donor = (listed.speaker[[p[k] for p in pairs]] for k in (0, 1))
    likeness = []
    for share in (0.3, 0.5, 0.7):
        table, names = with_channels(listed, pairs, "made/", [share] * len(pairs))
        made = table.embedding[[table.row[n] for n in names]]
        np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
        likeness.append([np.einsum("ij,ij->i", made, centres[who]).mean() for who in (to, donor)])
    (less, most), (half, other_half), (more, least) = likeness
    assert less < half < more
    assert most > other_half > least
    assert 0.3 < half < 0.55  # a voice that is all one person's is at .6
