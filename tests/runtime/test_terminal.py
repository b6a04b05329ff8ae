"""Terminals without UTF-8, readers that leave early, and interrupts: no stack trace once the work is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """\
import sys, time
from pathlib import Path
from avsieve.runtime.scripting import parser, run

def main():
    ap = parser("What it does – and why.")
    ap.add_argument("--lines", type=int, default=1, help="how many – lines")
    ap.add_argument("--wait", action="store_true", help="wait")
    args = ap.parse_args()
    Path("done").write_text("yes")
    print("begun", flush=True)
    if args.wait:
        time.sleep(60)
    for k in range(args.lines):
        print(f"EER 1.74 – 4.86 … µs → café {'│'} Ω")

run(main)
"""
# Neither UTF-8 mode nor the coercion of the C locale, which newer Pythons would save themselves with.
PLAIN = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return [sys.executable, str(tmp_path / "program.py")]


@pytest.mark.parametrize("terminal", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}])
@pytest.mark.parametrize("words", [[], ["--help"]])
def test_a_terminal_without_utf_8_shows_the_nearest_characters(
    program: list[str], tmp_path: Path, terminal: dict[str, str], words: list[str]
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIO"))}
    done = subprocess.run(
        [*program, *words], capture_output=True, check=False, cwd=tmp_path, env=environment | PLAIN | terminal
    )
    assert done.returncode == 0, done.stderr.decode()
    shown = done.stdout.decode("latin-1")
    if words:
        assert "What it does - and why." in shown
    else:
        assert "EER 1.74 - 4.86 ... " in shown
        assert "s -> caf" in shown
        assert shown.endswith("? ?\n")


def test_utf_8_stays_as_it_is(program: list[str], tmp_path: Path) -> None:
    done = subprocess.run(program, capture_output=True, check=True, cwd=tmp_path, env=os.environ | {"PYTHONUTF8": "1"})
    assert done.stdout.decode().splitlines()[1] == "EER 1.74 – 4.86 … µs → café │ Ω"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_has_left_is_no_error(program: list[str], tmp_path: Path, lines: int, unbuffered: str) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(
        [*program, "--lines", str(lines)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        told = run.stderr.read()
    assert told == b""
    assert run.returncode == 141 or (lines == 1 and run.returncode == 0)  # one line may have been in time
    assert (tmp_path / "done").read_text() == "yes"


def test_no_output_at_all_is_no_error(program: list[str], tmp_path: Path) -> None:
    command = " ".join(f"'{word}'" for word in program)
    done = subprocess.run(f"{command} >&-", shell=True, capture_output=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_is_told_in_a_line(program: list[str], tmp_path: Path) -> None:
    def heed() -> (
        None
    ):  # where the tests run in the background, interrupts are ignored, and what they start ignores them
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(
        [*program, "--wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, preexec_fn=heed
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        time.sleep(0.2)
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=30)
    assert told == "interrupted; what is finished is kept\n"
    assert run.returncode == 130


def test_a_broken_pipe_of_something_else_stays_a_bug(tmp_path: Path) -> None:
    main = "def main():\n    raise BrokenPipeError(32, 'of a worker')\n"
    code = f"from avsieve.runtime.scripting import run\n{main}run(main)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "of a worker" in done.stderr
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("verb", [["--help"], ["doctor"], ["doctor", "--json"], ["cleanse", "--help"]])
def test_every_verb_takes_such_a_terminal(tmp_path: Path, verb: list[str]) -> None:
    environment = os.environ | PLAIN | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "avsieve", *verb], capture_output=True, text=True, check=False, cwd=tmp_path,
        env=environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.stdout


def test_every_command_line_goes_through_the_same_door(repository: Path) -> None:
    scripts = [*(repository / "workflow" / "scripts").glob("*.py"), repository / "src/avsieve/cli/__init__.py"]
    assert len(scripts) > 20
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        assert "run(main)" in text or "run(_main)" in text, path.name
