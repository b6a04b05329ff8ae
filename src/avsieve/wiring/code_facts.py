"""What a file of code imports and a hash of what it does, found once for each content.

Parsing all modules of the library takes time, in every job that a cluster runs too. What was found is kept in a file,
by a digest of the content: another time or place of a file changes nothing.

Runs inside Snakemake and imports nothing heavy.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from avsieve.errors import AvsieveError

# Of a hash: enough that no two codes of a module share them by chance.
DIGITS = 12
# Bytes of the file from which it is begun anew: about ten times what all modules take.
_LARGEST = 4_000_000


class Import(NamedTuple):
    """An import of modules, or of names from one."""

    level: int
    """Dots before the module."""
    module: str
    names: tuple[str, ...] = ()
    """What is imported from it, which may be modules too."""


class Code(NamedTuple):
    """A file of code."""

    imports: tuple[Import, ...]
    hash: str
    """Of its syntax tree without positions and docstrings; empty where there is no code."""


class CodeFacts:
    """The files of code as they are now, each read once: an edit after that is seen by the next plan.

    Parameters
    ----------
    kept
        The file that keeps what was found, from one process to the next; None to find everything anew.
    """

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._of_file: dict[Path, Code] = {}
        self._of_content: dict[str, Code] | None = None

    def of(self, path: Path) -> Code:
        """Return what a file holds.

        Raises
        ------
        AvsieveError
            If it does not parse.
        """
        if path not in self._of_file:
            self._of_file[path] = self._find(path)
        return self._of_file[path]

    def _find(self, path: Path) -> Code:
        content = path.read_bytes()
        digest = hashlib.blake2b(content, digest_size=16, key=_own_digest()).hexdigest()
        if self._of_content is None:
            self._of_content = dict(_read(self._kept)) if self._kept is not None else {}
        if digest not in self._of_content:
            self._of_content[digest] = code = parse_code(content, path)
            if self._kept is not None:
                _append(self._kept, digest, code)
        return self._of_content[digest]


@cache
def _own_digest() -> bytes:
    # What another version of this module found counts for that alone.
    return hashlib.blake2b(Path(__file__).read_bytes(), digest_size=16).digest()


def _read(path: Path) -> Iterator[tuple[str, Code]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                # A line that a killed process did not end is passed over.
                with suppress(ValueError, TypeError):
                    digest, imports, hashed = json.loads(line)
                    found = (Import(level, module, tuple(names)) for level, module, names in imports)
                    yield digest, Code(tuple(found), hashed)
    except (OSError, UnicodeDecodeError):
        return


def _append(path: Path, digest: str, code: Code) -> None:
    line = json.dumps([digest, code.imports, code.hash]) + "\n"
    with suppress(OSError):  # where nothing can be written, everything is found anew
        path.parent.mkdir(parents=True, exist_ok=True)
        is_full = path.exists() and path.stat().st_size > _LARGEST
        with path.open("w" if is_full else "a", encoding="utf-8") as handle:
            handle.write(line)


def parse_code(content: bytes, path: Path) -> Code:
    """Parse a file's content.

    Raises
    ------
    AvsieveError
        If it does not parse, naming ``path``.
    """
    try:
        tree = ast.parse(content, filename=str(path))
    except SyntaxError as error:
        raise AvsieveError(f"{path}:{error.lineno}: {error.msg}; fix the syntax error before running") from error
    imports = tuple(dict.fromkeys(_imports(tree)))
    _drop_words(tree)
    text = hashlib.sha256(_canonical(tree).encode()).hexdigest()[:DIGITS] if tree.body else ""
    return Code(imports, text)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements below a node and the parts that hold them, but those under ``if TYPE_CHECKING``."""
    for field in node._fields:
        children = getattr(node, field, None)
        if not isinstance(children, list):
            continue
        for child in children:
            if isinstance(child, ast.If) and _is_type_checking(child.test):
                yield from statements(ast.Module(child.orelse, []))
            elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                yield child
                yield from statements(child)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _imports(tree: ast.Module) -> Iterator[Import]:
    for node in statements(tree):
        if isinstance(node, ast.Import):
            yield from (Import(0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.level, node.module or "", tuple(alias.name for alias in node.names))


def _is_words(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_version(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__version__"
    )


def _drop_words(tree: ast.Module) -> None:
    """Drop the docstrings, and the package's version number, which changes without any code."""
    tree.body = [node for node in tree.body if not _is_version(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_words(statement)]


def _canonical(node: object) -> str:
    """Write a syntax tree so that equal code gives equal text under every supported Python.

    `ast.dump` differs between versions in the empty fields that it shows; here they are left out.
    """
    if isinstance(node, ast.AST):
        fields = [
            f"{name}={_canonical(value)}"
            for name in node._fields
            if name not in ("ctx", "kind", "type_comment")
            and (value := getattr(node, name, None)) is not None
            and value != []
        ]
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join([_canonical(item) for item in node])}]"
    return repr(node)
