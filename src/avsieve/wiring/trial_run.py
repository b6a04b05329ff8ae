"""Trial runs of the workflow: the demo, and the line on real faces and voices."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from avsieve.errors import AvsieveError
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_text

logger = logging.getLogger(__name__)


def checkout() -> Path:
    """Return the root of the checkout that this library lies in.

    Raises
    ------
    AvsieveError
        If the library was installed without the workflow.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / "workflow" / "Snakefile").is_file():
        raise AvsieveError(f"no workflow at {root}; clone the repository and run `make demo` there")
    return root


def snakemake(root: Path, directory: Path, targets: list[str], cores: int, config: Path | None = None) -> None:
    """Run the workflow in ``directory``; its own lines tell how far it is.

    Raises
    ------
    AvsieveError
        If it fails; the logs are named above the message.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "workflow" / "Snakefile")]
    command += ["--directory", str(directory), "--cores", str(cores), "--quiet", "host", "reason"]
    command += ["--configfile", str(config)] if config else []
    if subprocess.run([*command, "--", *targets], check=False).returncode:
        raise AvsieveError(f"the workflow stopped in {directory}; the failed rule and its log are named above")


def _link(target: Path, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    if not name.is_symlink():
        name.symlink_to(target.resolve())


def _speech_tree(speech: Path, tree: Path) -> None:
    """Lay recordings named SPEAKER-CHAPTER-NUMBER out as speaker/video/utterance."""
    for path in sorted(speech.iterdir()):
        parts = path.stem.split("-")
        if len(parts) != 3:
            raise AvsieveError(f"{path}: expected a name like SPEAKER-CHAPTER-NUMBER{path.suffix}")
        _link(path, tree / parts[0] / parts[1] / (parts[2] + path.suffix))


def _configure(path: Path, values: dict) -> Path:
    write_text(path, yaml.safe_dump(values, sort_keys=False))
    return path


def run_real(
    root: Path, real: Path, work: Path, folders: dict[str, Path], *, noise: float, seed: int, cores: int
) -> None:
    """Build the corpus, train the speaker encoder, run the line, and align the video clips.

    Raises
    ------
    AvsieveError
        If something that is needed is not there, or a step fails.
    """
    needed = [real / "make_corpus.py", real / "speech_train", *folders.values()]
    needed += [real / "models" / name for name in ("scrfd_500m_kps.onnx", "mobilefacenet.onnx")]
    if missing := [str(path) for path in needed if not path.exists()]:
        raise AvsieveError(f"{', '.join(missing)}: not there; `avsieve real --help` says what is needed")
    work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    corpus = work / f"corpus-{seed}-{noise}"
    if not (corpus / "truth.csv").exists():
        logger.info("building the corpus in %s", corpus)
        shutil.rmtree(corpus, ignore_errors=True)
        command = [sys.executable, str(real / "make_corpus.py"), "--out", str(corpus), "--noise", str(noise)]
        command += ["--seed", str(seed), "--faces", str(folders["faces"]), "--voices", str(folders["voices"])]
        subprocess.run(command, check=True)
    for name in ("scrfd_500m_kps.onnx", "mobilefacenet.onnx"):
        _link(real / "models" / name, work / "models" / name)
    _speech_tree(real / "speech_train", work / "speech")

    logger.info("training the speaker encoder on %s", real / "speech_train")
    values = yaml.safe_load((root / "config" / "real_encoder.yaml").read_text(encoding="utf-8"))
    values["source"]["tree"] = {"root": "../speech"}
    config = _configure(work / "encoder.yaml", values)
    model = P.of(P.models.encoder, modality="audio", list="all")
    snakemake(root, work / "encoder", [model], cores, config)

    logger.info("running the line on the corpus")
    values = yaml.safe_load((root / "config" / "real.yaml").read_text(encoding="utf-8"))
    values["source"] |= {
        "tree": {"root": f"../{corpus.name}/mp4", "train_list": f"../{corpus.name}/train_all.txt"},
        "truth": f"../{corpus.name}/truth.csv",
    }
    config = _configure(work / "real.yaml", values)
    snakemake(root, work / "run", ["all"], cores, config)

    clips = sorted((real / "video").iterdir()) if (real / "video").is_dir() else []
    if clips:
        logger.info("extracting and aligning %d clips of %s", len(clips), real / "video")
        for clip in clips:
            _link(clip, work / "video" / clip.stem / "clip" / f"00001{clip.suffix}")
        values["source"] = {"kind": "tree", "tree": {"root": "../video"}}
        values["shards"] = 1
        values["evaluation"] = {"holdout": 0}  # a handful of people, and nobody is tested
        snakemake(root, work / "clips", ["align"], cores, _configure(work / "clips.yaml", values))
    logger.info("%.0f s in all", time.monotonic() - started)
    _tell(work, bool(clips))


def _tell(work: Path, clips: bool) -> None:
    """Print what was found."""
    from avsieve.storage.tables import read_table

    for name, run in [("corpus", work / "run"), *([("video clips", work / "clips")] if clips else [])]:
        frames = [read_table(p) for p in sorted(run.glob(P.of(P.align.detections, shard="*")))]
        total = sum(len(f) for f in frames)
        found = sum(int((f["code"] == "ok").sum()) for f in frames)
        sys.stdout.write(f"{name}: a face in {found} of {total} frames ({found / max(total, 1):.1%})\n")
    sys.stdout.write((work / "run" / P.report.text).read_text(encoding="utf-8"))
    sys.stdout.write(f"report: {work / 'run' / P.report.page}\n")
