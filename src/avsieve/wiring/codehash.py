"""Hash the code that a rule runs, so that an edit reruns exactly the stages it concerns.

Snakemake notices neither an edit in an imported module nor one in a script that a ``shell:`` line calls. Each rule
therefore carries the hashes of its script and of the library modules that the script imports, directly or through other
modules of the library, each with its name, so that a reason to run again names the module. What is hashed is the syntax
tree without positions and docstrings: comments, docstrings, formatting, file times and branch switches change nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.runtime.code_digest import PACKAGE, digest_of, is_neutral, parse, stamp_of


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
def _imports_of(path: Path, stamp: tuple[int, int], module: str) -> tuple[str, ...]:
    # Most scripts import the same modules: each is walked once, and not for every rule.
    return tuple(_imports(parse(path, stamp), module, is_package=path.name == "__init__.py"))


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
    queue = [*also, *_imports_of(script, stamp_of(script), "__main__")]
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
        queue.extend(_imports_of(path, stamp_of(path), module))
    return found


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
    hashes = {name: digest_of(files[name]) for name in sorted(files) if not is_neutral(name)}
    return [f"{name} {value}" for name, value in hashes.items() if value]
