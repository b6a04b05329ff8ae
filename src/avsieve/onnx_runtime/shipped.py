"""Find the file of a face model: shipped with the package, a path, or part of an InsightFace pack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from avsieve.errors import ModelError

BUILTIN = "builtin"
_SHIPPED = {"detector": "detector.onnx", "recognition": "faces.onnx"}


def resolve_model(name: str | Path, task: str) -> Path:
    """Return the ONNX file for ``task``, ``'detector'``, ``'recognition'`` or ``'landmarks'``.

    Parameters
    ----------
    name
        ``builtin``; a path to an ``.onnx`` file; a folder of ``.onnx`` files, of which the one that fits the task is
        taken; or the name of a pack below ``~/.insightface/models``. Nothing is downloaded.

    Raises
    ------
    ModelError
        If there is no such file, or a folder holds none or several for the task.
    """
    if str(name) == BUILTIN:
        if task not in _SHIPPED:
            raise ModelError(f"no {task} model is shipped; give an .onnx file, or the name of an InsightFace pack")
        path = Path(str(resources.files("avsieve"))) / "models" / _SHIPPED[task]
        if not path.is_file():
            raise ModelError(f"{path}: the shipped {task} model is missing; install the package again")
        return path
    path = Path(name).expanduser()
    if path.suffix == ".onnx":
        if not path.is_file():
            raise ModelError(f"{path}: no such {task} model; give an .onnx file, a folder of them, or 'builtin'")
        check_external(path)
        return path
    folder = path if path.is_dir() else Path("~/.insightface/models").expanduser() / path
    if not folder.is_dir():
        raise ModelError(
            f"{task} model {str(name)!r}: no such file, and no folder {folder}; give a path, 'builtin', "
            f"or the name of a pack that insightface.app.FaceAnalysis has downloaded before"
        )
    fitting = [file for file in sorted(folder.glob("*.onnx")) if _task_of(file) == task]
    if len(fitting) != 1:
        found = ", ".join(f.name for f in fitting) or "none"
        raise ModelError(f"{folder}: expected one {task} model, found {found}; give the path of the file")
    return fitting[0]


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield the tensors of a graph, those of its nodes and of the graphs within them."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def check_external(path: Path) -> None:
    """Refuse a model whose weights lie in files outside its folder: it could read what it likes into its network.

    Raises
    ------
    ModelError
        Naming the first such file; or if it is no ONNX file.
    """
    stat = path.stat()
    _check_external(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _check_external(path: Path, _size: int, _mtime_ns: int) -> None:
    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, OSError) as error:
        raise ModelError(f"{path}: not an ONNX file ({error}); fetch it again") from error
    folder = path.resolve().parent
    functions = (tensor for function in model.functions for tensor in _of_nodes(function.node))
    for tensor in (*_tensors(model.graph), *functions):
        for entry in tensor.external_data:
            name = entry.value.replace("\\", "/")
            if entry.key == "location" and ("\0" in name or not (folder / name).resolve().is_relative_to(folder)):
                raise ModelError(
                    f"{path}: keeps weights in {entry.value[:200]!r}, outside its own folder; expected a file beside "
                    "it. Use models of a source that you trust"
                )


def read_onnx(path: Path) -> onnx.ModelProto:
    """Read an ONNX file.

    Raises
    ------
    ModelError
        If it is none.
    """
    check_external(path)
    try:
        model = onnx.load(str(path))
    except (DecodeError, OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelError(f"{path}: not an ONNX file, or its data is damaged ({error}); fetch it again") from error
    if not model.graph.input or not model.graph.output:
        raise ModelError(f"{path}: an ONNX file without inputs or outputs; fetch it again")
    return model


def _task_of(path: Path) -> str:
    """Tell what an ONNX file is for by its inputs and outputs, as InsightFace does."""
    graph = read_onnx(path).graph
    if len(graph.output) >= 5:
        return "detector"
    sides = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[2:4]]
    if sides == [192, 192] and [d.dim_value for d in graph.output[0].type.tensor_type.shape.dim][-1:] == [212]:
        return "landmarks"
    return "recognition" if sides == [112, 112] and len(graph.output) == 1 else "other"
