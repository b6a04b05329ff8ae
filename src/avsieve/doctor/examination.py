"""The whole examination: every check in its order, each with what it needs to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.doctor.costs import Cost, as_json, totals
from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding, SourceFacts

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.doctor.rates import Rate
    from avsieve.doctor.trial_size import TrialSize


@dataclass
class Examination:
    """What was found, by sections, and what the run will cost."""

    files: list[str] = field(default_factory=list)
    sections: list[tuple[str, list[Finding]]] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    cores: int = 1
    devices: dict[str, Any] = field(default_factory=dict)
    utterances: int | None = None
    """Of the source, where they can be counted."""
    rates: dict[str, Rate] = field(default_factory=dict)
    """Of the stages that work on clips, with where each is from."""

    @property
    def findings(self) -> list[Finding]:
        """All findings in their order."""
        return [finding for _, findings in self.sections for finding in findings]

    @property
    def stops(self) -> bool:
        """Whether something would stop the run."""
        return any(finding.level == "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "ok": not self.stops,
            "configuration": self.files,
            "findings": [{"section": name} | asdict(f) for name, findings in self.sections for f in findings],
            "devices": self.devices,
            "cores": self.cores,
            "costs": as_json(self.costs, self.cores),
            "totals": totals(self.costs, self.cores),
        }


def examine(paths: list[Path], *, cores: int, measure: int = 0, conda: bool = False) -> Examination:
    """Look at everything that ``paths``, merged, ask for.

    Parameters
    ----------
    cores
        That the run will have.
    measure
        Clips of the source to time the stages with; 0 for none.
    conda
        The run will have environments of its own: packages that are absent here stop nothing.

    Raises
    ------
    ConfigError
        If the configuration cannot be read; nothing else is looked at then.
    """
    done = Examination(cores=cores)
    if missing := [name for name in ("yaml", "pydantic") if find_spec(name) is None]:
        text = f"the configuration cannot be read without {' and '.join(missing)}"
        done.sections.append(("Software", [Finding("error", "packages", text, "pip install pyyaml pydantic")]))
        return done
    from avsieve.doctor.damage import check_damage
    from avsieve.doctor.device import check_device
    from avsieve.doctor.disk import check_disk
    from avsieve.doctor.fusion import check_fusion
    from avsieve.doctor.lists import check_lists
    from avsieve.doctor.models import check_models
    from avsieve.doctor.settings import read_settings, repeated_keys
    from avsieve.doctor.software import check_software
    from avsieve.doctor.training import check_training

    config, files = read_settings(paths)
    done.files = [str(path) for path in files]
    if repeated := [finding for path in files for finding in repeated_keys(path)]:
        done.sections.append(("Configuration", repeated))

    def section(name: str, check: Callable[[], list[Finding]]) -> None:
        done.sections.append((name, _looked(name.lower(), check)))

    section("Software", lambda: check_software(config, conda=conda))
    findings, devices = check_device(config)
    done.sections.append(("Device", findings))
    done.devices = asdict(devices)
    section("Models", lambda: check_models(config, devices))
    facts = SourceFacts()
    section("Source", lambda: source_facts(config, facts))
    done.utterances = facts.utterances
    section("Lists", lambda: check_lists(config, facts.is_there))
    section("Training", lambda: [*check_training(config), *check_fusion(config)])
    if not done.sections[-1][1]:
        done.sections.pop()
    section("Damage", lambda: check_damage(config, facts.is_there))
    if not done.sections[-1][1]:
        done.sections.pop()
    if facts.utterances:
        section("Measuring", lambda: _costs(done, config, facts, measure, gpu="cuda" in (devices.torch, devices.onnx)))
        if not done.sections[-1][1]:
            done.sections.pop()
    section("Disk and memory", lambda: check_disk(config, done.costs, facts.utterances, cores))
    if conda:
        done.sections = [(name, [_brought(finding) for finding in findings]) for name, findings in done.sections]
    return done


def _brought(finding: Finding) -> Finding:
    """Take an absent package for a note: the environment of its stage holds it. Snakemake itself has to be here."""
    absent = "not installed" in finding.text or "No module named" in finding.text
    if finding.level != "error" or not absent or finding.subject in ("snakemake", "pydantic", "pyyaml"):
        return finding
    return Finding("note", finding.subject, f"{finding.text}; --use-conda provides it, and it cannot be checked here")


def _looked(name: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    """Run a check; one that needs a package which cannot be imported says so."""
    try:
        return check()
    except ImportError as error:
        package = (error.name or "").split(".")[0]
        text = f"cannot be looked at: {str(error).splitlines()[0]}"
        return [Finding("error", name, text, f"install the package that brings {package}" if package else "")]


def source_facts(config: Config, facts: SourceFacts) -> list[Finding]:
    """Ask the source about itself and fill in ``facts``; a source without a check knows nothing."""
    source = config.source.contract
    if source.check is None:
        facts.findings.append(Finding("note", "source", f"the source {source.name} cannot be checked in advance"))
    else:
        try:
            found: SourceFacts = source.load("check")(source.settings, config.source.modalities)
        except (AvsieveError, OSError) as error:
            return [Finding("error", "source", str(error), f"fix source.{source.name}")]
        for field_of in fields(SourceFacts):
            setattr(facts, field_of.name, getattr(found, field_of.name))
    count_list(config, facts)
    if facts.utterances and facts.failing / facts.utterances > config.max_failed:
        text = (
            f"about {facts.failing:,} of {facts.utterances:,} utterances would fail to be fetched, as told above: more "
        )
        facts.findings.append(
            Finding("error", "max_failed", f"{text}than max_failed ({config.max_failed:.1%}) allows",
                    "fix the data, or raise max_failed")
        )  # fmt: skip
    return facts.findings


def _costs(done: Examination, config: Config, facts: SourceFacts, measure: int, *, gpu: bool) -> list[Finding]:
    from avsieve.doctor.costs import estimate

    done.rates, told = _rates(config, measure, stops=done.stops)
    facts.speakers = facts.speakers or count_speakers(config)
    done.costs = estimate(config, facts, done.rates, gpu=gpu, trials=count_trials(config))
    return told


def count_list(config: Config, facts: SourceFacts) -> None:
    """Take the counts of the training list for a source that could not tell its own."""
    from avsieve.sources.list_check import look_at_list

    source = config.source.contract
    path = source.train_list
    if path is None or facts.utterances is not None or any("train_list" in f.subject for f in facts.findings):
        return
    frame, told = look_at_list(path, f"source.{source.name}.train_list")
    facts.findings += told
    facts.utterances = None if frame is None else len(frame)


def count_speakers(config: Config) -> int | None:
    """Count the speakers of the source where its settings or its list tell of them."""
    from avsieve.lists.layouts import listed

    source = config.source.contract
    if source.speakers is not None:
        return source.speakers
    path = source.train_list
    try:
        return None if path is None else int(listed(path)["speaker"].nunique())
    except AvsieveError:
        return None  # told already


def count_trials(config: Config) -> TrialSize | None:
    """Count the trials of the lists that the configuration names."""
    from avsieve.doctor.trial_size import TrialSize
    from avsieve.evaluation.trials import read_trials

    try:
        paths = config.evaluation.trial_paths
        return TrialSize.of([read_trials(path) for path in paths]) if paths else None
    except AvsieveError:
        return None  # told already


def _rates(config: Config, measure: int, *, stops: bool) -> tuple[dict[str, Rate], list[Finding]]:
    """Return each stage's rate from the best origin that there is, and what is to be said about it."""
    from avsieve.doctor.rates import earlier_rates, shipped_rates

    rates = shipped_rates(config, _model(config.faces.detector, "detector"), _model(config.visual.model, "recognition"))
    rates |= earlier_rates(config)
    if not measure:
        return rates, []
    if stops:
        return rates, [Finding("note", "--measure", "nothing is measured until the errors above are fixed")]
    from avsieve.doctor.measure import measure_rates

    try:
        measured, told = measure_rates(config, measure)
    except (AvsieveError, OSError) as error:
        return rates, [Finding("warning", "--measure", f"stopped: {error}", "fix that; the other figures are valid")]
    return rates | measured, told


def _model(name: str, task: str) -> Path | None:
    """Return the file of a face model, where it can be found."""
    try:
        from avsieve.onnx_runtime.shipped import resolve_model

        return resolve_model(name, task)
    except (AvsieveError, ImportError):
        return None
