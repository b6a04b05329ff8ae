from __future__ import annotations

from types import SimpleNamespace

import pytest

from avsieve.config.model import Config, parse_config
from avsieve.storage import paths as P
from avsieve.wiring.flags import flags
from avsieve.wiring.rounds import RoundWiring

FIRST = [P.of(P.embed.embeddings, modality="visual", shard="000")]


def wiring(**cleansing: object) -> RoundWiring:
    config: Config = parse_config({"source": {"kind": "synthetic"}, "cleansing": cleansing})
    return RoundWiring(config, ["000"], at=lambda path: f"elsewhere/{path}")


def of(name: str) -> SimpleNamespace:
    return SimpleNamespace(round=name)


def test_each_round_trains_on_what_the_one_before_left() -> None:
    rounds = wiring(rounds=3, rounds_folds=2)
    assert rounds.arms == ["2", "2-without-0", "2-without-1", "3", "3-without-0", "3-without-1"]
    assert rounds.list_before(of("2")) == rounds.list_before(of("2-without-1")) == P.lists.clean
    assert rounds.list_before(of("3-without-0")) == P.of(P.rounds.clean, round="2")
    assert rounds.part(of("3")) == ""
    assert rounds.part(of("3-without-1")) == "--part 1 --parts 2"


def test_one_round_wants_nothing() -> None:
    assert not wiring().wanted
    assert wiring().arms == []


def test_an_encoder_that_is_kept_has_the_embeddings_of_the_first_round_in_every_round() -> None:
    rounds = wiring(rounds=2, rounds_modalities=["audio"])
    assert (rounds.trained, rounds.kept) == (["audio"], ["visual"])
    assert rounds.embeddings("visual") == P.of(P.embed.embeddings, modality="visual")
    assert rounds.all_embeddings.count(FIRST[0]) == 2
    words = str(rounds.embedding_flags).split()
    assert [word for word in words if word.startswith("--")] == ["--audio", "--audio", "--visual", "--visual"]
    assert words[-1] == f"elsewhere/{FIRST[0]}"


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_the_trained_encoder_embeds_as_the_first_one_but_with_its_own_network(modality: str) -> None:
    model = P.of(P.rounds.encoder, modality=modality, round="2")
    words = wiring(rounds=2).trained_encoder(modality)(of("2")).split()
    arch = {"audio": "ecapa_small", "visual": "mobileface_small"}[modality]
    assert words[words.index("--arch") + 1] == arch
    assert f"elsewhere/{model}" in words
    assert "hops" not in words


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_a_round_embeds_with_the_options_of_the_first(modality: str) -> None:
    first = flags(getattr(parse_config({"source": {"kind": "synthetic"}}), modality))
    again = wiring(rounds=2).trained_encoder(modality)(of("2"))
    # Segments are not scored in further rounds.
    asked, given = (
        {word for word in text.split() if word.startswith("--")} - {"--segments"} for text in (str(first), again)
    )
    assert asked == given
