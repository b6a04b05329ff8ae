"""What the rules ask for: shards, command-line flags, code hashes and environments, all from the configuration.

This module runs inside Snakemake and imports nothing heavier than pydantic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avsieve.cleansing.registry import METHODS
from avsieve.config.model import parse_config
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
from avsieve.wiring.codehash import Library, code_hashes
from avsieve.wiring.crops import CropWiring
from avsieve.wiring.damage import DamageWiring
from avsieve.wiring.flags import flags
from avsieve.wiring.fusion import FusionWiring
from avsieve.wiring.joint import JointWiring
from avsieve.wiring.launch import training_resources
from avsieve.wiring.models import builtin_on_real, face_settings, model_file, model_paths
from avsieve.wiring.names import Places
from avsieve.wiring.needs import Needs
from avsieve.wiring.planned import Planned
from avsieve.wiring.rounds import RoundWiring
from avsieve.wiring.sequences import SequenceWiring
from avsieve.wiring.source import SourceWiring
from avsieve.wiring.twins import TwinWiring
from avsieve.wiring.watch import Watch

# What is trained on: before cleansing and after it.
ARMS = {"all": P.lists.all, "clean": P.lists.clean}


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
    kept, written, ahead
        As in `avsieve.wiring.planned.Planned`.
    code_kept
        The file that keeps what was found in the code, from one plan to the next.
    """

    def __init__(
        self,
        values: dict[str, Any],
        basedir: str | Path,
        *,
        moved: Callable[[str], str] | None = None,
        given: Callable[[str], str] = str,
        kept: Callable[[str], str] = str,
        written: Callable[[list[str]], list[str]] = list,
        ahead: bool = True,
        code_kept: Path | None = None,
    ) -> None:
        self.config = parse_config(values)
        self.at = Places(moved)
        """Where a path of the results lies, for params; inputs and outputs are moved by Snakemake itself."""
        self.basedir = Path(basedir)
        self.scripts = self.basedir / "scripts"
        self.src = self.basedir.parent / "src"
        self.library = Library(self.src, code_kept)
        self.shards = shard_names(self.config.shards)
        self.gpu = int(self.config.device.startswith("cuda"))
        # A GPU runs one shard's detector at a time: some threads decode for it. On the CPU there is a shard a core.
        self.face_threads = 4 if self.gpu else 1
        self.needs = Needs(self.config)
        """Memory and time of a rule's jobs, as its resources."""
        self.training = training_resources(self.config, self.gpu)
        """What the training of an encoder takes, as its resources."""
        source = self.config.source
        self.source = SourceWiring(source, given=given, at=self.at)
        # A job of a cluster asks for its own shard alone.
        together = self.shards if ahead else []
        self.watch = Watch(source, self.source.roots if self.source.has_media else {}, at=self.at, together=together)
        """What lies outside the results, as parameters: a change of it reruns what it concerns."""
        self.planned = Planned(
            self.source, self.watch, self.config.shards,
            code=lambda: self.code("plan_shards", self.source.modules["plan"]), src=self.src,
            at=self.at, kept=kept, written=written, ahead=ahead,
        )  # fmt: skip
        """What each shard was planned with: another plan reruns the shards that it concerns."""
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
        self.crops = CropWiring(self.config, self.shards)
        """The kinds of crops that are written, and which of them an encoder reads."""
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
        self.damage = DamageWiring(self.config, self.shards, watch=self.watch, at=self.at)
        self.twins = TwinWiring(self.config, self.shards, watch=self.watch, at=self.at)
        self.sequences = SequenceWiring(self.config, self.shards, at=self.at)
        self.fusion = FusionWiring(self.config, watch=self.watch, given=given, at=self.at)
        self.joint = JointWiring(
            self.config, self.shards, self.damage.signals, crops=self.crops, watch=self.watch, given=given, at=self.at
        )
        self.rounds = RoundWiring(self.config, self.shards, at=self.at)
        self.method = METHODS.module(self.config.cleansing.method)
        """The module of the cleansing method, which no script imports by itself."""
        review = self.config.cleansing.review
        self.review = [] if review is None else [given(review)]
        """The table of reviews: an input of `clean_list` alone."""
        anchors = self.config.cleansing.anchors
        self.anchors = [] if anchors is None else [given(anchors)]
        """The table of utterances that are known to be wrong: the same."""
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
        shown = {
            "faces": P.align.faces_index,
            "boxes": P.align.detections,
            "wavs": P.extract.wav_index,
            "clips": P.media.index,
        }
        self.shown = {
            name: [P.of(path, shard=shard) for shard in self.shards] if self.source.has_media else []
            for name, path in shown.items()
        }
        """Indices of the clips, faces and wavs that the report shows, and where the faces lie in their frames; none
        where there are only embeddings."""
        self.durations = [P.of(P.media.index, shard=shard) for shard in self.shards] if self.source.has_media else []
        """Tables of the clips' lengths; without clips the list must have them."""
        self.report_folders = {
            "status": [self.at(folder) for folder in folders],
            "faces": [self.at(P.align.folder)] if self.source.has_media else [],
            "wavs": [self.at(P.extract.folder)] if self.source.has_media else [],
            "clips": [self.at(P.media.folder)] if self.source.has_media else [],
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
        self.round_facts = [P.rounds.facts] if self.rounds.wanted else []
        """What the report tells of further rounds: an input of it, where there are any."""
        self.round_flag = {"rounds": self.at(P.rounds.facts) if self.rounds.wanted else None}
        with_audit = self.config.report.with_audit
        self.audit = [P.audit.audit] if with_audit else []
        """The audit, where the configuration makes it part of every run: an input of the report."""
        self.audit_flag = {"audit": self.at(P.audit.audit)}
        """Where it lies: the report shows one that is there, whoever asked for it."""
        beside = self.watch.beside("audit", self.at(P.audit.audit))
        self.audited = (lambda wildcards: "audit: an input") if with_audit else beside
        """What tells that audit: a parameter, so that a new one reruns the report, and nothing reruns the audit."""
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
        self.trial_files = {"sex": self.at(sex) if sex and self.source.writes_sex else sex, "truth": known}

    def _made_trials(self) -> list[tuple[str, str]]:
        """Return the lists that the run makes: with the truth known one; else those of trusted and of all labels."""
        made = P.evaluation.trials
        if self.source.writes_truth or self.trial_truth:
            return [(TRUTH, made)]
        return [(TRUSTED, P.evaluation.trusted), (GIVEN, made)]

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

    def model_code(self, wildcards: Any) -> list[str]:
        """Return the hashes of the fusion model that a job trains, without those that all models share."""
        shared = self.code("train_fusion")
        return [line for line in self.code("train_fusion", MODELS.module(wildcards.model)) if line not in shared]

    def joint_code(self, wildcards: Any) -> list[str]:
        """Return the hashes of the joint model that a job trains, and of its encoders, beside those that all share."""
        shared = self.code("train_joint")
        own = self.code("train_joint", *self.joint.modules(wildcards.model))
        return [line for line in own if line not in shared]

    def trained_network(self, modality: str) -> list[str]:
        """Return the hashes of the network that is trained, without those that its embedding has in any case."""
        rule, arch = f"embed_{modality}", getattr(self.config.training, modality).arch
        shared = self.code(rule)
        return [line for line in self.code(rule, *self.encoder(modality, arch).modules) if line not in shared]

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
        return code_hashes(self.scripts / f"{rule}.py", self.library, modules)

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

    def env(self, family: str) -> str:
        """Return the conda environment of a family of stages, that for CUDA where the family has one of its own."""
        name = f"{family}.yaml"
        if self.gpu and (self.basedir / "envs" / f"{family}-gpu.yaml").is_file():
            name = f"{family}-gpu.yaml"
        if "{" in str(self.basedir) or "}" in str(self.basedir):
            # Snakemake formats this path together with the folder that it starts from.
            return str(self.basedir / "envs" / name).replace("{", "{{").replace("}", "}}")
        return f"../envs/{name}"
