from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import pytest

from avsieve.errors import ConfigError
from avsieve.wiring.names import ALIASES, Places, Words, plain

snakemake_io = pytest.importorskip("snakemake.io")


def test_text_of_a_param_can_be_called_and_is_text() -> None:
    words = Words("--title 'Run {1}'")
    assert words == "--title 'Run {1}'"
    assert type(words(None)) is str
    assert snakemake_io.is_callable(words)
    assert pickle.loads(pickle.dumps(words)) == words


@pytest.mark.parametrize("name", ["list {a}.txt", "{2024}/x.txt", "a{b,c{1,2}}d.txt", "{ x }", "{a.b}"])
def test_a_file_whose_name_looks_like_a_wildcard_has_an_alias(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    assert snakemake_io.contains_wildcard(name)
    alias = plain(name)
    assert not snakemake_io.contains_wildcard(alias)
    assert Path(alias).parent == ALIASES
    assert Path(alias).read_text() == "mine"
    assert plain(name) == alias
    assert Path(alias).suffix == path.suffix.replace("}", ")")
    assert os.lstat(alias).st_mtime == 0  # the file's own time decides


@pytest.mark.parametrize("name", ["a b.txt", "{}", "{a b}", "a{", "}{", "{a-b}.txt", "x$;&'\"[1]*%#ü"])
def test_other_names_stay_as_they_are(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert not snakemake_io.contains_wildcard(name)
    assert plain(name) == name
    assert not ALIASES.exists()


def test_an_alias_follows_a_project_that_was_moved(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    Path("{x}.txt").write_text("mine")
    alias = plain("{x}.txt")
    monkeypatch.chdir(tmp_path)
    Path("a").rename("b")
    monkeypatch.chdir(tmp_path / "b")
    assert not Path(alias).exists()
    assert plain("{x}.txt") == alias
    assert Path(alias).read_text() == "mine"


def test_results_lie_below_the_prefix_of_a_module() -> None:
    assert Places()("results/plan") == "results/plan"
    places = Places(lambda path: f"avs/{path}")
    assert (places.results, places("results/a/b.csv")) == ("avs/results", "avs/results/a/b.csv")
    renamed = Places(lambda path: re.sub("^results/", "sieve/", path))
    assert (renamed.results, renamed("results/a/b.csv")) == ("sieve", "sieve/a/b.csv")


def test_a_prefix_that_a_shell_would_not_take_or_that_scatters_the_results_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"prefix of the module gives 'my runs/results'"):
        Places(lambda path: f"my runs/{path}")
    with pytest.raises(ConfigError, match="give one for 'results/'"):
        Places(lambda path: re.sub("^results/lists/", "lists/", path))
