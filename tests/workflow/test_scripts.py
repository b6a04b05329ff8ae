"""The scripts of the rules are command lines: they parse, make one call and write. Values come from the rules."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "workflow" / "scripts").glob("*.py"))
# Imports and the options aside. The longest that only parses, calls and writes has 16: it writes two status tables and
# two records of provenance. What needs more does something that a function of the library should do.
LONGEST = 20
# What no script may load before it knows what is asked of it: `--help` would take seconds.
HEAVY = ("torch", "onnxruntime", "insightface", "matplotlib", "transformers")


@pytest.fixture(params=SCRIPTS, ids=lambda path: path.stem)
def script(request: pytest.FixtureRequest) -> Path:
    return request.param


def is_call(node: ast.AST, name: str) -> bool:
    """Tell whether a node calls a method (or a function) of that name."""
    if not isinstance(node, ast.Call):
        return False
    func = node.func
    return (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")) == name


def defaults(tree: ast.Module) -> Iterator[str]:
    """Yield the options whose values a script makes up where the rule leaves them out."""
    for call in (node for node in ast.walk(tree) if is_call(node, "add_argument")):
        assert isinstance(call, ast.Call)
        flag = ast.unparse(call.args[0]) if call.args else "?"
        given = {word.arg: word.value for word in call.keywords}
        # Where a rule leaves an option out there is no value, or none of many.
        if "default" in given and ast.unparse(given["default"]) not in ("None", "[]"):
            yield flag
        if "const" in given or ast.unparse(given.get("action", ast.Constant(None))) == "'store_false'":
            yield flag
    for call in (node for node in ast.walk(tree) if is_call(node, "add_settings")):
        assert isinstance(call, ast.Call)
        if not any(word.arg == "required" and ast.unparse(word.value) == "True" for word in call.keywords):
            yield ast.unparse(call)
    if any(is_call(node, "set_defaults") for node in ast.walk(tree)):
        yield "set_defaults"


def main_of(tree: ast.Module) -> ast.FunctionDef:
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")


def statements(function: ast.FunctionDef) -> int:
    """Count the statements of a function but for imports and the options."""
    return (
        sum(
            isinstance(node, ast.stmt)
            and not isinstance(node, ast.Import | ast.ImportFrom)
            and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            and not (isinstance(node, ast.Expr) and is_call(node.value, "add_argument"))
            for node in ast.walk(function)
        )
        - 1
    )


def loops_after_parsing(function: ast.FunctionDef) -> list[int]:
    """Return the lines of the loops that do not declare options."""
    parsed = [i for i, s in enumerate(function.body) if any("parse" in ast.unparse(n.func) for n in calls(s))]
    return [
        node.lineno
        for statement in function.body[max(parsed, default=-1) :]
        for node in ast.walk(statement)
        if isinstance(node, ast.For | ast.While)
    ]


def calls(statement: ast.stmt) -> list[ast.Call]:
    return [node for node in ast.walk(statement) if isinstance(node, ast.Call)]


def test_a_script_parses_calls_and_writes(script: Path) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    main = main_of(tree)
    assert tree.body[0] is not main
    assert ast.get_docstring(tree)
    has_work = statements(main) > LONGEST or bool(loops_after_parsing(main))
    assert not has_work, (statements(main), loops_after_parsing(main))


def test_what_the_checks_look_for_is_found() -> None:
    tree = ast.parse(
        "def main():\n"
        "    ap = parser()\n"
        "    for name in FORMS:\n"
        "        ap.add_argument(name, default=None)\n"
        "    ap.add_argument('--a', type=int, default=3)\n"
        "    ap.add_argument('--b', nargs='*', default=[])\n"
        "    add_settings(ap, Report)\n"
        "    add_settings(ap, Report, required=True)\n"
        "    args = ap.parse_args()\n"
        "    for row in args.rows:\n"
        "        print(row)\n"
    )
    assert list(defaults(tree)) == ["'--a'", "add_settings(ap, Report)"]
    assert loops_after_parsing(main_of(tree)) == [10]
    assert statements(main_of(tree)) == 7


# Runs every script given as far as its options, with `--help`; tells what it printed, the options that have a value of
# their own wherever they were added, and what is loaded by then.
PROBE = """
import argparse, contextlib, io, json, runpy, sys

ours = []
made = argparse.ArgumentParser.__init__

def note(self, *args, **words):
    made(self, *args, **words)
    ours.append(self)

argparse.ArgumentParser.__init__ = note
found = {}
for path in sys.argv[1:]:
    ours.clear()
    sys.argv = [path, "--help"]
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told):
            runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        code = end.code
    actions = [action for parser in ours for action in parser._actions if action.option_strings]
    # Where a rule leaves an option out there is no value, or none of many.
    def given(action):
        switch = action.nargs == 0 and not action.default
        return not (switch or action.default is None or action.default in ([], argparse.SUPPRESS))

    values = [action.option_strings[0] for action in actions if given(action)]
    loaded = [name for name in HEAVY if name in sys.modules]
    found[path] = {"code": code, "help": told.getvalue(), "values": values, "loaded": loaded}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def probed() -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-c", f"HEAVY = {HEAVY!r}\n{PROBE}", *map(str, SCRIPTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {Path(path).stem: told for path, told in json.loads(done.stdout).items()}


def test_a_script_tells_its_options_without_loading_networks(script: Path, probed: dict[str, dict[str, Any]]) -> None:
    told = probed[script.stem]
    assert not told["code"]
    assert "--help" in told["help"]
    assert not told["loaded"]


def test_no_option_has_a_value_of_its_own(script: Path, probed: dict[str, dict[str, Any]]) -> None:
    """Neither in the script nor where the library adds options for it."""
    values = {*probed[script.stem]["values"], *defaults(ast.parse(script.read_text(encoding="utf-8")))}
    assert not values
