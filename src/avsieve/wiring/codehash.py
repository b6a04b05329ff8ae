"""Hash the code that a rule runs, so that an edit reruns exactly the stages it concerns.

Snakemake notices neither an edit in an imported module nor one in a script that a ``shell:`` line calls. Each rule
therefore carries the hashes of its script and of the library modules that the script imports, directly or through other
modules of the library, each with its name, so that a reason to run again names the module. What is hashed is the syntax
tree without positions and docstrings: comments, docstrings, formatting, file times and branch switches change nothing.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from avsieve.errors import AvsieveError

PACKAGE = "avsieve"
# What these do shows on a terminal or in a log, or decides which of several GPUs computes, and shows in no output: an
# edit of them reruns nothing.
NEUTRAL = {
    f"{PACKAGE}.errors",
    f"{PACKAGE}.registry",
    # Where files of a run lie is an input, an output or a param of each rule.
    f"{PACKAGE}.storage.paths",
    *(f"{PACKAGE}.runtime.{name}" for name in ("gpus", "options", "progress", "scripting", "terminal")),
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


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, passing over what stands under ``if TYPE_CHECKING``: it does not run."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.orelse:
                yield from walk(statement)
        else:
            yield from walk(child)


def _module_file(src: Path, module: str) -> Path | None:
    base = src.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Yield the modules of the library that a tree may import; names that are no modules fall out later."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package[: len(package) - node.level + 1]
                base = ".".join([*parts, base] if base else parts)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def _parse(path: Path, stamp: tuple[int, int]) -> ast.Module:
    # The stamp (time and size) is part of the cache's key: an edited file is parsed again.
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise AvsieveError(f"{path}:{error.lineno}: {error.msg}; fix the syntax error before running") from error


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@cache
def _imports_of(path: Path, stamp: tuple[int, int], module: str) -> tuple[str, ...]:
    # Most scripts import the same modules: each is walked once, and not for every rule.
    return tuple(_imports(_parse(path, stamp), module, is_package=path.name == "__init__.py"))


def modules_of(script: Path, src: Path, also: Iterable[str] = ()) -> dict[str, Path]:
    """Return the library modules that ``script`` imports, transitively, with the packages they lie in.

    ``also`` names modules that the script loads by name, such as the source or the network that the config chooses.

    Raises
    ------
    AvsieveError
        If a module of ``also`` does not exist.
    """
    found: dict[str, Path] = {}
    for name in also:
        if _module_file(src, name) is None:
            raise AvsieveError(
                f"{script.name}: no module {name} under {src}; fix the rule or the registry that names it"
            )
    queue = [*also, *_imports_of(script, _stamp(script), "__main__")]
    while queue:
        module = queue.pop()
        if module in found or module.split(".")[0] != PACKAGE:
            continue
        path = _module_file(src, module)
        if path is None:
            continue  # a function or a class of the module before the last dot
        found[module] = path
        if "." in module:
            queue.append(module.rpartition(".")[0])  # importing a module runs its packages
        queue.extend(_imports_of(path, _stamp(path), module))
    return found


@cache
def _hash(path: Path, stamp: tuple[int, int]) -> str:
    tree = _without_words(copy.deepcopy(_parse(path, stamp)))
    return hashlib.sha256(_canonical(tree).encode()).hexdigest()[:DIGITS] if tree.body else ""


def _is_neutral(module: str) -> bool:
    """Tell whether an edit of a module changes nothing that a stage writes."""
    within = any(module == package or module.startswith(f"{package}.") for package in NEUTRAL_PACKAGES)
    return module in NEUTRAL or within or module.rpartition(".")[2] in NEUTRAL_NAMES


def code_hashes(script: str | Path, src: str | Path, also: Iterable[str] = ()) -> list[str]:
    """Return a line for ``script`` and for each library module that it imports: its name and a hash of its code.

    As params of a rule, one each, they let Snakemake name what has changed: it shows those that differ. Modules without
    any code are left out.

    Parameters
    ----------
    script
        A command line in ``workflow/scripts``.
    src
        The folder that holds the package ``avsieve``.
    also
        Modules that the script loads by name.

    Raises
    ------
    AvsieveError
        If a file does not parse.
    """
    script, src = Path(script), Path(src)
    files = {script.name: script, **modules_of(script, src, also)}
    hashes = {name: _hash(files[name], _stamp(files[name])) for name in sorted(files) if not _is_neutral(name)}
    return [f"{name} {value}" for name, value in hashes.items() if value]
