from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from avsieve.cli.registry import VERBS
from avsieve.cli.verb import Verb


def _add_arguments(ap: argparse.ArgumentParser) -> None:
    ap.add_argument("--times", type=int, default=2, help="how often")


def _run(args: argparse.Namespace) -> int:
    sys.stdout.write("hello " * args.times + "\n")
    return 3


GREET = Verb("say hello", "Say hello.", _add_arguments, _run)


def test_a_verb_is_a_module_and_a_line_of_the_registry(avsieve, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setitem(VERBS._entries, "greet", f"{__name__}:GREET")
    assert avsieve("greet", "--times", 1) == 3
    assert capsys.readouterr().out == "hello \n"
    assert not avsieve("--help")
    assert "say hello" in capsys.readouterr().out
    assert not avsieve("greet", "--help")
    assert "how often (default: 2)" in capsys.readouterr().out


@pytest.mark.parametrize("name", list(VERBS))
def test_a_verb_tells_its_options_and_takes_none_by_halves(name: str, avsieve, capsys) -> None:
    assert not avsieve(name, "--help")
    shown = capsys.readouterr().out
    assert VERBS[name].help
    assert shown.startswith(f"usage: avsieve {name}")
    assert "None" not in shown
    assert "--output" not in shown


def test_help_loads_no_tables_and_no_networks() -> None:
    code = (
        "import sys\nsys.argv = ['avsieve', '--help']\nfrom avsieve.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'torch', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_verb_is_told_with_those_there_are(avsieve, capsys) -> None:
    assert avsieve("cleans") == 2
    assert "'cleanse'" in capsys.readouterr().err
