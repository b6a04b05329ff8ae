"""Find the file of a face model: shipped with the package, a path, or part of an InsightFace pack."""

from __future__ import annotations

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


def read_onnx(path: Path) -> onnx.ModelProto:
    """Read an ONNX file.

    Raises
    ------
    ModelError
        If it is none.
    """
    try:
        model = onnx.load(str(path))
    except (DecodeError, OSError) as error:
        raise ModelError(f"{path}: not an ONNX file ({error}); fetch it again") from error
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
