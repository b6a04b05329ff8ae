from __future__ import annotations

from pathlib import Path

from avsieve.lists.train_list import read_train_list
from avsieve.storage.indexed_tar import TarReader
from avsieve.synthetic.voices.corpus import VoiceCorpus, person_voice, write_voices

CORPUS = VoiceCorpus(entropy=9, people=2, videos=2, utterances=1, seconds=0.6)


def test_a_corpus_is_a_shard_and_a_list_and_repeats_to_the_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_voices(CORPUS, tmp_path / f"{name}.wav.tar", tmp_path / f"{name}.txt")
    assert (tmp_path / "one.wav.tar").read_bytes() == (tmp_path / "two.wav.tar").read_bytes()
    listed = read_train_list(tmp_path / "one.txt")
    assert listed["speaker"].unique().tolist() == ["f00000", "m00001"]
    with TarReader(tmp_path / "one.wav.tar") as shard:
        assert shard.utterances == listed["utterance"].tolist()
        assert len(shard.read("f00000/v00/00001.wav")) == 44 + 2 * 9600


def test_populations_do_not_share_people() -> None:
    assert person_voice(1, 0) != person_voice(2, 0)
    assert person_voice(2, 0) == person_voice(2, 0)
