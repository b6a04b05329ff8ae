"""What the rules ask for: shards, command-line flags, code hashes and environments, all from the configuration.

This module runs inside Snakemake and imports nothing heavier than pydantic.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from avsieve.cleansing.registry import METHODS
from avsieve.config.model import Config, parse_config
from avsieve.encoders.contract import Architecture
from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.evaluation.labels import GIVEN, OFFICIAL, TRUSTED, TRUTH
from avsieve.export.places import PLACES
from avsieve.export.registry import FORMS
from avsieve.export.settings import Wish
from avsieve.fusion.registry import MODELS
from avsieve.report.registry import FIGURES
from avsieve.storage import paths as P
from avsieve.storage.ids import shard_names
from avsieve.storage.sequence_names import FRAMES
from avsieve.wiring.codehash import code_hashes
from avsieve.wiring.names import Places, Words
from avsieve.wiring.source import SourceWiring
from avsieve.wiring.watch import Watch

# What is trained on: before cleansing and after it.
ARMS = {"all": P.lists.all, "clean": P.lists.clean}


def flags(values: BaseModel | dict[str, Any], *, leave: Iterable[str] = ()) -> Words:
    """Write settings as command-line flags: ``min_score: 0.5`` becomes ``--min-score 0.5``.

    ``None`` and empty lists are left out, true and false become ``--x`` and ``--no-x``, and keys in ``leave`` are
    passed over. Braces in it are no wildcards (`avsieve.wiring.names.Words`).
    """
    items = values.model_dump() if isinstance(values, BaseModel) else values
    words: list[str] = []
    for name, value in items.items():
        flag = f"--{name.replace('_', '-')}"
        if name in leave or value is None or value == []:
            continue
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, dict):
            words += [flag, shlex.quote(json.dumps(value, sort_keys=True))]
        elif isinstance(value, list | tuple):
            texts = (json.dumps(item, sort_keys=True) if isinstance(item, dict) else str(item) for item in value)
            words += [flag, *map(shlex.quote, texts)]
        else:
            # A value that begins with a dash would be taken for an option.
            words += (
                [f"{flag}={shlex.quote(str(value))}"] if str(value).startswith("-") else [flag, shlex.quote(str(value))]
            )
    return Words(" ".join(words))


def shell_prefix(src: Path, scripts: Path, *, own_environments: bool) -> str:
    """Return what runs before every shell command, with braces doubled as Snakemake wants them there.

    Snakemake unsets ``PYTHONPATH`` in conda environments, so it is set here. Without environments of its own a job
    runs under the Python that runs Snakemake, whether or not its environment is activated.
    """
    python = "" if own_environments else f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
    words = (
        # No word of a variable is split or taken for a pattern: the checkout may lie in any folder.
        f"set -feuo pipefail; IFS=; {python}export PYTHONPATH={shlex.quote(str(src))} "
        f"AVSIEVE_SCRIPTS={shlex.quote(str(scripts))} PYTHONHASHSEED=0; "
    )
    return words.replace("{", "{{").replace("}", "}}")


def model_file(value: str) -> list[str]:
    """Return ``value`` as an input when it is the path of a file; ``builtin`` and pack names are none."""
    return [value] if Path(value).suffix else []


def model_paths(*values: str) -> list[str]:
    """Return those of ``values`` that are files or folders of models, whose content is a parameter."""
    return [value for value in values if Path(value).suffix or Path(value).is_dir()]


def folders_of(value: str | list[str] | None) -> list[str]:
    """Return the folders that a key names: one, several or none."""
    return [value] if isinstance(value, str) else list(value or [])


def face_settings(config: Config) -> dict[str, Any]:
    """Return what decides how faces are found and aligned, by the options of `avsieve.faces.options`."""
    faces = config.faces.model_dump()
    return {
        **{name: value for name, value in faces.items() if name != "jpeg_quality"},
        "face_jpeg_quality": faces["jpeg_quality"],
        "aligned": config.source.contract.aligned,
    }


def builtin_on_real(config: Config) -> list[str]:
    """Return the keys of the models that are ``builtin``, where the source has real people: these models know none."""
    source = config.source.contract
    if source.made_up or not source.has_media:
        return []
    used = {"audio.checkpoint": config.audio.checkpoint}
    if "visual" in source.modalities:
        used["visual.model"] = config.visual.model
        if not source.aligned:
            used["faces.detector"] = config.faces.detector
    return sorted(key for key, value in used.items() if value == "builtin")


class Wiring:
    """The configuration as the rules see it.

    Parameters
    ----------
    values
        The configuration.
    basedir
        The folder ``workflow``.
    moved
        Where the importer of a module wants a path of the results (`avsieve.wiring.names.Places`).
    given
        Makes an input of a path that the user named: such a path gets no prefix and has no wildcards.
    """

    def __init__(
        self,
        values: dict[str, Any],
        basedir: str | Path,
        *,
        moved: Callable[[str], str] | None = None,
        given: Callable[[str], str] = str,
    ) -> None:
        self.config = parse_config(values)
        self.at = Places(moved)
        """Where a path of the results lies, for params; inputs and outputs are moved by Snakemake itself."""
        self.basedir = Path(basedir)
        self.scripts = self.basedir / "scripts"
        self.src = self.basedir.parent / "src"
        self.shards = shard_names(self.config.shards)
        self.gpu = int(self.config.device == "cuda")
        # A GPU runs one shard's detector at a time: some threads decode for it. On the CPU there is a shard a core.
        self.face_threads = 4 if self.gpu else 1
        source = self.config.source
        self.source = SourceWiring(source, given=given, at=self.at)
        self.watch = Watch(source, self.source.roots if self.source.has_media else {}, at=self.at)
        """What lies outside the results, as parameters: a change of it reruns what it concerns."""
        of_clips = [
            (P.media.folder, P.media.status),
            (P.extract.folder, P.extract.status),
            (P.align.folder, P.align.status),
        ]
        stages = [
            *(of_clips if self.source.has_media else []),
            *((P.of(P.embed.folder, modality=m), P.of(P.embed.status, modality=m)) for m in ("audio", "visual")),
        ]
        folders = [folder for folder, _ in stages]
        self.status = [P.of(path, shard=shard) for _, path in stages for shard in self.shards]
        """Status tables of all stages."""
        self.faces = face_settings(self.config)
        """What decides how faces are found and aligned, as `align_faces.py` and `extract_faces.py` take it."""
        faces = [*model_file(self.config.faces.detector), *model_file(self.config.faces.landmarks)]
        self.face_files = [given(path) for path in faces]
        self.audio_file = [given(path) for path in model_file(self.config.audio.checkpoint)]
        self.visual_file = [given(path) for path in model_file(self.config.visual.model)]
        """Model files that the user named: inputs."""
        self.models = {
            "faces": self.watch.files("models", model_paths(self.config.faces.detector, self.config.faces.landmarks)),
            "audio": self.watch.files("weights", model_paths(self.config.audio.checkpoint)),
            "visual": self.watch.files("weights", model_paths(self.config.visual.model)),
        }
        """What they hold: parameters, so that another file under the same name reruns their stage."""
        training = self.config.training
        self.started_from = {
            name: self.watch.files("weights", [start] if start not in (None, "builtin") else [])
            for name, start in (("audio", training.audio.start_from), ("visual", training.visual.start_from))
        }
        self.recordings = self.watch.recordings(
            "recordings", [getattr(training.audio, name) for name in ("noise", "music", "speech", "rooms")]
        )
        """What trainings read that lies outside the results."""
        damage = self.config.evaluation.damage
        self.damage_folders = {"noise": folders_of(damage.noise), "rooms": folders_of(damage.rooms)}
        """Recordings that voices are damaged with."""
        self.damage_recordings = self.watch.recordings("recordings", chain(*self.damage_folders.values()))
        """What they are: a parameter, so that others under the same names damage anew."""
        self.method = METHODS.module(self.config.cleansing.method)
        """The module of the cleansing method, which no script imports by itself."""
        evaluation = self.config.evaluation
        self.holdout = {"holdout": evaluation.holdout, "holdout_seed": evaluation.holdout_seed}
        self.trial_settings = {
            name: getattr(evaluation, name) for name in ("max_targets", "same_sex_share", "trials_seed")
        }
        self.trained_on = [given(path) for path in evaluation.trained_on]
        sex: str | None = P.plan.speakers
        if not self.source.writes_sex:
            sex = None if evaluation.sex is None else given(evaluation.sex)
        self.sex = [] if sex is None else [sex]
        self.as_norm = evaluation.as_norm.cohort is not None
        self.cohort = [P.evaluation.cohort] if self.as_norm else []
        """The frozen cohort of the AS-norm: an input of every evaluation."""
        self.cohort_file = {"cohort": self.at(self.cohort[0]) if self.as_norm else None}
        self.cohort_top = {"top": evaluation.as_norm.top if self.as_norm else None}
        wanted = evaluation.as_norm.cohort or "all"
        self.cohort_list = ARMS[wanted] if wanted in ARMS else given(wanted)
        read = self._tables_of(self.config.fusion.sequences)
        if evaluation.protocol == "both":
            scored = {"audio": "audio_segments", "visual": "visual_frames"}
            # Where embeddings are all there is, a modality may be missing altogether.
            read |= {scored[m] for m in (scored if self.source.has_media else self.source.contract.modalities)}
        sequences = self._sequence_files(read)
        self.sequence_flags = {name: [self.at(path) for path in paths] for name, paths in sequences.items()}
        """Segments and faces that the evaluation reads: flag -> a file per shard."""
        self.sequence_files = [path for paths in sequences.values() for path in paths]
        self.damage_level = "signal" if damage.level == "auto" and self.source.has_media else "embedding"
        """What is damaged: the signals, where there are any."""
        self.damage_settings = {"damage": damage.expanded, "level": self.damage_level}
        """What decides of the table of damages, as `make_damage.py` takes it."""
        signals = damage.damaged_signals() if self.damage_level == "signal" else set()
        damaged = {
            f"damaged_{modality}": [P.of(P.damage.embeddings, modality=modality, shard=shard) for shard in self.shards]
            for modality in sorted(signals)
        }
        items = {"audio": ("audio_segments", P.damage.segments), "visual": ("visual_frames", P.damage.frames)}
        for modality in sorted(signals):
            name, path = items[modality]
            if name in self._tables_of(self.config.fusion.sequences):
                damaged[f"damaged_{name}"] = [P.of(path, shard=shard) for shard in self.shards]
        tables = {"damage_table": P.evaluation.damage} if damage.conditions else {}
        self.damage_files = [*tables.values(), *(path for paths in damaged.values() for path in paths)]
        """What the evaluation of damaged trials reads: nothing without conditions."""
        self.damage_flags = {flag: self.at(path) for flag, path in tables.items()} | {
            flag: [self.at(path) for path in paths] for flag, paths in damaged.items()
        }
        self.fusion_models = [
            P.of(P.models.fusion, list=name, model=model, seed=seed)
            for name in ("all", "clean")
            for model in self.config.fusion.names
            for seed in self.config.fusion.seeds
        ]
        begun = {name: getattr(self.config.fusion.own(name), "weights", None) for name in self.config.fusion.names}
        self.fusion_weights = {name: [given(path)] if path else [] for name, path in begun.items()}
        """Published weights that the training of a fusion model begins with: an input of it."""
        self.fusion_started_from = {
            name: self.watch.files("weights", [path] if path else []) for name, path in begun.items()
        }
        """What they hold: a parameter."""
        untrained = [name for name in MODELS if not MODELS[name].trained]
        self.fusion_modules = list(dict.fromkeys(map(MODELS.module, [*untrained, *self.config.fusion.names])))
        """The modules of the fusion models, which no script imports by itself."""
        self.fusion_provenance = [f"{path.removesuffix('.safetensors')}.json" for path in self.fusion_models]
        """What was recorded of their training."""
        self.fusion_provenance_flags = {"training": [self.at(path) for path in self.fusion_provenance]}
        self.fusion_flags = {"models": [self.at(path) for path in self.fusion_models]}
        shown = {"faces": P.align.faces_index, "wavs": P.extract.wav_index}
        self.shown = {
            name: [P.of(path, shard=shard) for shard in self.shards] if self.source.has_media else []
            for name, path in shown.items()
        }
        """Indices of the faces and wavs that the report shows; none where there are only embeddings."""
        self.durations = [P.of(P.media.index, shard=shard) for shard in self.shards] if self.source.has_media else []
        """Tables of the clips' lengths; without clips the list must have them."""
        self.report_folders = {
            "status": [self.at(folder) for folder in folders],
            "faces": [self.at(P.align.folder)] if self.source.has_media else [],
            "wavs": [self.at(P.extract.folder)] if self.source.has_media else [],
            "provenance": [self.at(folder) for folder in [*folders, P.evaluation.folder] if folder != P.media.folder],
            "benchmarks": self.at(P.BENCHMARKS),
            "shards": self.config.shards,
        }
        """Where the report finds what it tells of, and of how many shards."""
        self.figures = sorted({FIGURES.module(name) for name in FIGURES})
        """Modules of the report's figures, which it loads by name."""
        comparison = self.config.comparison
        arms = {
            f"{modality}_{name}": [
                P.of(P.comparison.embeddings, modality=modality, list=name, seed=seed) for seed in comparison.seeds
            ]
            for modality in comparison.modalities
            if modality == "audio" or source.modalities == "both"
            for name in ("all", "clean")
        }
        self.arm_files = {flag: [self.at(path) for path in paths] for flag, paths in arms.items()}
        """Embeddings of the trials by the encoders that the comparison trains: flag -> a file per seed."""
        self.arm_embeddings = [path for paths in arms.values() for path in paths]
        compared = {"comparison": P.comparison.facts, "comparison_curves": P.comparison.curves}
        self.comparison = compared if comparison.in_report else {}
        """What the report tells of the comparison: nothing, unless the configuration asks for it."""
        self.comparison_flags = {name: self.at(path) for name, path in self.comparison.items()}
        known = None if source.truth is None or self.source.writes_truth else given(source.truth)
        truth = P.truth.table if self.source.writes_truth else known
        self.truth = [] if truth is None else [truth]
        """Who is really seen and heard, where that is known: an input of the report."""
        self.truth_flag = {"truth": self.at(truth) if truth and self.source.writes_truth else truth}
        # The synthetic source keeps other people for the trials, whose labels are right: no truth is needed for them.
        self.trial_truth = [] if known is None else [known]
        self.forms = FORMS
        """The forms of an export: a rule each."""
        export = self.config.export
        self.exported = [kind for kind in export.what if kind == "wav" or source.modalities == "both"]
        """Kinds of files to export."""
        self.export_files = [given(path) for path in (export.speakers, export.utterances) if path is not None]
        """Lists that say of whom."""
        own = [(OFFICIAL, given(path)) for path in evaluation.trial_paths]
        self.trial_lists = own or self._made_trials()
        """Trial lists: what the labels of each stand on, and its file."""
        self.trials = [path for _, path in self.trial_lists]
        """Their files: inputs of every evaluation."""
        self.trial_labels = {
            "labels": [labels for labels, _ in self.trial_lists],
            "trials_name": evaluation.trial_names,
        }
        """What is told of them, in that order; without names the evaluation finds their own."""
        self.builtin_models = builtin_on_real(self.config)
        """Keys of the shipped models that this run uses on data that they do not know."""
        self.headline = self.config.fusion.names[0] if self.config.fusion.models else "score_average"
        """Whose figure the report begins with: chosen by the configuration, before anything is known."""
        self.trial_files = {"sex": self.at(sex) if sex and self.source.writes_sex else sex, "truth": known}

    def _made_trials(self) -> list[tuple[str, str]]:
        """Return the lists that the run makes: with the truth known one; else those of trusted and of all labels."""
        made = P.evaluation.trials
        if self.source.writes_truth or self.trial_truth:
            return [(TRUTH, made)]
        return [(TRUSTED, P.evaluation.trusted), (GIVEN, made)]

    @staticmethod
    def _tables_of(sequences: Iterable[str]) -> set[str]:
        """Return which tables have these sequences."""
        return {"visual_frames" if name == FRAMES else "audio_segments" for name in sequences}

    def _sequence_files(self, tables: set[str]) -> dict[str, list[str]]:
        """Return the tables of segments and faces that are wanted, by the scripts' flags: a file per shard."""
        places = {"audio_segments": P.embed.segments, "visual_frames": P.embed.frames}
        return {
            name: [P.of(path, shard=shard) for shard in self.shards] for name, path in places.items() if name in tables
        }

    def sequences_of_model(self, wildcards: Any) -> list[str]:
        """Return the tables of segments and faces that a fusion model reads: inputs of its training."""
        found = self._sequence_files(self._tables_of(self.config.fusion.reads(wildcards.model)))
        return [path for paths in found.values() for path in paths]

    def sequence_flags_of_model(self, wildcards: Any) -> str:
        """Return the options that its training reads them by."""
        found = self._sequence_files(self._tables_of(self.config.fusion.reads(wildcards.model)))
        return flags({name: [self.at(path) for path in paths] for name, paths in found.items()})

    def list_of(self, wildcards: Any) -> str:
        """Return the training list of an arm: ``all`` before cleansing, ``clean`` after it."""
        return ARMS[wildcards.list]

    def training_of(self, modality: str) -> Callable[[Any], str]:
        """Return the flags of an encoder's training as a function of the wildcard ``seed``."""
        settings = flags(getattr(self.config.training, modality), leave=["seed"])
        return lambda wildcards: f"{settings} --seed {wildcards.seed}"

    @staticmethod
    def encoder(modality: str, arch: str) -> Architecture:
        """Return an encoder by the name that the configuration gives it."""
        return {"audio": AUDIO, "visual": VISUAL}[modality][arch]

    def model_settings(self, wildcards: Any) -> str:
        """Return the option with the settings that the fusion model of a job has of its own."""
        return flags({"options": self.config.fusion.own(wildcards.model).model_dump()})

    def model_code(self, wildcards: Any) -> list[str]:
        """Return the hashes of the fusion model that a job trains, without those that all models share."""
        shared = self.code("train_fusion")
        return [line for line in self.code("train_fusion", MODELS.module(wildcards.model)) if line not in shared]

    def builtin(self, value: str, *files: str) -> str:
        """Return the digest of the shipped ``files`` when ``value`` is ``builtin``: new weights rerun their stage."""
        if value != "builtin":
            return ""
        folder = self.src / "avsieve" / "models"
        paths = [folder / name for name in files]
        # A file may be missing while the models are being built anew; the stage itself says so when it is wanted.
        return hashlib.sha256(b"".join(p.read_bytes() for p in paths if p.is_file())).hexdigest()[:16]

    def code(self, rule: str, *modules: str) -> list[str]:
        """Return the hashes of a rule's script, of what it imports, and of ``modules`` that it loads by name.

        Each is a param of its own (``params: *W.code("rule")``), so that Snakemake shows those that have changed.
        """
        return code_hashes(self.scripts / f"{rule}.py", self.src, modules)

    def export_shards(self) -> list[str] | Callable[[Any], list[str]]:
        """Return the shards that an export reads."""
        # Frames that are not kept are no input: the export says that there are none.
        kinds = [kind for kind in self.exported if kind != "frames" or self.config.media.keep_frames]
        files = [P.of(PLACES[kind], shard=shard) for kind in kinds for shard in self.shards]
        return self.source.need_media("export", files)

    def export_flags(self, form: str) -> str:
        """Return the options of an export in a form: those that all have, and its own."""
        export = self.config.export
        # What is written follows the prefix of a module, as every output does.
        out = export.out if Path(export.out).is_absolute() else self.at(export.out)
        own = [*Wish.model_fields, *self.forms[form].settings.model_fields]
        values = {name: getattr(export, name) for name in own} | {"what": self.exported}
        return flags({"results": self.at.results, "out": f"{out}/{form}"} | values)

    def board(self, wildcards: Any, output: Any) -> str:
        """Return the option that a training writes TensorBoard's files with, beside its model."""
        if not self.config.training.tensorboard:
            return ""
        # Plain text: `Words` would be called in turn, with `output` as well.
        return str(flags({"tensorboard": Path(str(output.model)).with_suffix(".tensorboard")}))

    def fusion_board(self, wildcards: Any, output: Any) -> str:
        """Return the option that the training of fusion models writes TensorBoard's files with, beside them."""
        return "--tensorboard" if self.config.training.tensorboard else ""

    def env(self, family: str) -> str:
        """Return the conda environment of a family of stages, that for CUDA where the family has one of its own."""
        name = f"{family}.yaml"
        if self.gpu and (self.basedir / "envs" / f"{family}-gpu.yaml").is_file():
            name = f"{family}-gpu.yaml"
        if "{" in str(self.basedir) or "}" in str(self.basedir):
            # Snakemake formats this path together with the folder that it starts from.
            return str(self.basedir / "envs" / name).replace("{", "{{").replace("}", "}}")
        return f"../envs/{name}"
