"""A digest of a module's code: of its syntax tree, without positions and docstrings.

Comments, docstrings, formatting and file times change nothing. It runs inside Snakemake and at the end of every job,
and imports nothing but the standard library.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from avsieve.errors import AvsieveError

PACKAGE = "avsieve"
# What these do shows on a terminal or in a log and never in an output: an edit of them reruns nothing.
NEUTRAL = {
    f"{PACKAGE}.errors",
    f"{PACKAGE}.registry",
    # Where files of a run lie is an input, an output or a param of each rule.
    f"{PACKAGE}.storage.paths",
    *(f"{PACKAGE}.runtime.{name}" for name in ("code_digest", "options", "progress", "scripting", "terminal")),
    # They tell what an output was made from, beside it.
    f"{PACKAGE}.runtime.records",
    f"{PACKAGE}.storage.file_digest",
}
# Settings describe keys and bound them, contracts tell the rules of a plug-in, and registries name the plug-ins. Their
# values reach a script as options, which are params of its rule; the rules hash the code of what is chosen by name.
NEUTRAL_NAMES = {"settings", "contract", "registry"}
NEUTRAL_PACKAGES = (f"{PACKAGE}.config",)
# Of a hash: enough that no two codes of a module share them by chance.
DIGITS = 12


def _without_words(tree: ast.Module) -> ast.Module:
    """Drop the docstrings, and the package's version number, which changes without any code."""
    tree.body = [
        node
        for node in tree.body
        if not (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "__version__"
        )
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [
                statement
                for statement in node.body
                if not (
                    isinstance(statement, ast.Expr)
                    and isinstance(statement.value, ast.Constant)
                    and isinstance(statement.value.value, str)
                )
            ]
    return tree


def _canonical(node: object) -> str:
    """Write a syntax tree so that equal code gives equal text under every supported Python.

    `ast.dump` differs between versions in the empty fields that it shows; here they are left out.
    """
    if isinstance(node, ast.AST):
        fields = (
            f"{name}={_canonical(value)}"
            for name, value in ast.iter_fields(node)
            if name not in ("ctx", "kind", "type_comment") and value is not None and value != []
        )
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(_canonical(item) for item in node)}]"
    return repr(node)


@cache
def parse(path: Path, stamp: tuple[int, int]) -> ast.Module:
    """Return the syntax tree of a file of a `stamp_of`.

    Raises
    ------
    AvsieveError
        If the file does not parse.
    """
    # The stamp (time and size) is part of the cache's key: an edited file is parsed again.
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise AvsieveError(f"{path}:{error.lineno}: {error.msg}; fix the syntax error before running") from error


def stamp_of(path: Path) -> tuple[int, int]:
    """Return what tells one content of a file from another: its time in nanoseconds, and its bytes."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@cache
def _digest(path: Path, stamp: tuple[int, int]) -> str:
    tree = _without_words(parse(path, stamp))
    return hashlib.sha256(_canonical(tree).encode()).hexdigest()[:DIGITS] if tree.body else ""


def digest_of(path: Path) -> str:
    """Return a digest of the code in a file; empty where there is none.

    Raises
    ------
    AvsieveError
        If the file does not parse.
    """
    return _digest(path, stamp_of(path))


def is_neutral(module: str) -> bool:
    """Tell whether an edit of a module changes nothing that a stage writes."""
    within = any(module == package or module.startswith(f"{package}.") for package in NEUTRAL_PACKAGES)
    return module in NEUTRAL or within or module.rpartition(".")[2] in NEUTRAL_NAMES
