"""The files of a run: every path below ``results`` once, with the wildcards of the rules.

Rules, the doctor, exports and the report take the paths from here; `docs/formats.md` says what the files hold. A path
starts with ``results/``, as Snakemake wants it: a module's prefix comes in front of it (`avsieve.wiring.names.Places`).
`of` fills some of a path's wildcards in, and `below` gives the path in a folder of results that lies elsewhere.

The wildcards: ``{shard}`` is ``000``, ``001``, …; ``{list}`` is ``all`` (before cleansing) or ``clean`` (after it);
``{modality}`` is ``audio`` or ``visual``; ``{model}`` a fusion model; ``{seed}`` that of a training; ``{part}`` of the
rendered people is ``train`` or ``held``; ``{form}`` is a form of export; ``{crop}`` a kind of `avsieve.storage.crops`;
``{round}`` is ``2``, ``3``, … or, where parts of the list are held out of its training, ``2-without-0``, ….
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RESULTS = "results"
"""The folder of all, in the folder that Snakemake runs in."""
LOGS, BENCHMARKS = "results/logs", "results/benchmarks"
"""Folders with a file for each rule without wildcards, and a folder for each with them."""
RECORDS = "results/records"
"""A record of each job, named after the first file that it wrote (`avsieve.runtime.records`)."""


def of(path: str, **wildcards: object) -> str:
    """Fill in wildcards of a path; those that are not given stay.

    Raises
    ------
    KeyError
        If the path does not have such a wildcard.
    """
    for name, value in wildcards.items():
        if f"{{{name}}}" not in path:
            raise KeyError(f"{path} has no wildcard {name}")
        path = path.replace(f"{{{name}}}", str(value))
    return path


def below(results: str | Path, path: str, **wildcards: object) -> Path:
    """Return where a path lies when ``results`` is the folder of the results."""
    return Path(results) / of(path, **wildcards).removeprefix(f"{RESULTS}/")


def log(rule: str, *wildcards: str) -> str:
    """Return the log of a rule: ``log("embed_audio", "{shard}")`` is ``results/logs/embed_audio/{shard}.log``."""
    return f"{'/'.join([LOGS, rule, '.'.join(wildcards)]).removesuffix('/')}.log"


def benchmark(rule: str, *wildcards: str) -> str:
    """Return what Snakemake measures of a rule, beside its log's place: time, memory and more of each job."""
    return f"{'/'.join([BENCHMARKS, rule, '.'.join(wildcards)]).removesuffix('/')}.tsv"


def record(path: str) -> str:
    """Return where the record of the job lies whose first file is ``path``, both below ``results``."""
    return f"{RECORDS}/{path.removeprefix(f'{RESULTS}/')}.json"


@dataclass(frozen=True)
class Plan:
    """Which utterances there are."""

    folder: str = "results/plan"
    utterances: str = "results/plan/utterances.parquet"
    """The plan: every utterance, its shard, and whether it trains or tests."""
    shards: str = "results/plan/shards"
    """The folder of the plan's parts."""
    shard: str = "results/plan/shards/{shard}.parquet"
    """The rows of one shard."""
    speakers: str = "results/plan/speakers.csv"
    """Synthetic source only: the sex of each speaker."""
    source: str = "results/plan/source.json"
    """Kind and place of the source; another source is not run over these results."""
    watched: str = "results/plan/watch.json"
    """Which clips there were when the plan was made."""
    note: str = "results/plan/shards.json"
    """What each shard was planned with: by it the next run sees which shards another plan concerns."""


@dataclass(frozen=True)
class Truth:
    """Who is really seen and heard: of the synthetic source."""

    table: str = "results/truth/truth.csv"
    """A row an utterance. No stage reads it; the report compares with it."""


@dataclass(frozen=True)
class Media:
    """Where the clips lie."""

    folder: str = "results/media"
    index: str = "results/media/{shard}.parquet"
    """A row an utterance: where its clip and its sound lie."""
    status: str = "results/media/{shard}.status.parquet"
    """What came of each utterance."""
    watched: str = "results/media/{shard}.watch.json"
    """What the clips were when they were indexed."""
    clips: str = "results/media/{shard}.clips.tar"
    """Synthetic source only: the rendered clips."""
    clips_index: str = "results/media/{shard}.clips.parquet"
    """Where each of them lies in the tar."""


@dataclass(frozen=True)
class Extract:
    """What is decoded from the clips."""

    folder: str = "results/extract"
    frames: str = "results/extract/{shard}.frames.tar"
    """JPEGs of the frames; not made with ``media.keep_frames: false``."""
    frames_index: str = "results/extract/{shard}.frames.parquet"
    """Where each of them lies in the tar."""
    wav: str = "results/extract/{shard}.wav.tar"
    """Sound, 16 kHz, mono, 16 bit."""
    wav_index: str = "results/extract/{shard}.wav.parquet"
    """Where each of them lies in the tar."""
    status: str = "results/extract/{shard}.status.parquet"
    """What came of each utterance."""
    provenance: str = "results/extract/{shard}.json"
    """What the shard was made with."""


@dataclass(frozen=True)
class Align:
    """The speakers' faces."""

    folder: str = "results/align"
    faces: str = "results/align/{shard}.faces.tar"
    """JPEGs of aligned faces, 112 x 112."""
    faces_index: str = "results/align/{shard}.faces.parquet"
    """Where each of them lies in the tar."""
    crops: str = "results/align/{shard}.{crop}.tar"
    """JPEGs of the same faces, cut out in another way; one tar for each kind that is asked for."""
    crops_index: str = "results/align/{shard}.{crop}.parquet"
    """Where each of them lies in the tar."""
    detections: str = "results/align/{shard}.detections.parquet"
    """A row per frame: what was detected there."""
    status: str = "results/align/{shard}.status.parquet"
    """What came of each utterance."""
    provenance: str = "results/align/{shard}.json"
    """What the shard was made with."""


@dataclass(frozen=True)
class Embed:
    """Embeddings of both modalities, made here or brought."""

    folder: str = "results/embed_{modality}"
    embeddings: str = "results/embed_{modality}/{shard}.parquet"
    """An embedding an utterance."""
    segments: str = "results/embed_audio/{shard}.segments.parquet"
    """An embedding per segment of sound."""
    frames: str = "results/embed_visual/{shard}.frames.parquet"
    """An embedding per face."""
    segments_provenance: str = "results/embed_audio/{shard}.segments.json"
    """What the segments were split from, where they were brought."""
    frames_provenance: str = "results/embed_visual/{shard}.frames.json"
    """The same for faces."""
    status: str = "results/embed_{modality}/{shard}.status.parquet"
    """What came of each utterance."""
    provenance: str = "results/embed_{modality}/{shard}.json"
    """What the shard was made with."""


@dataclass(frozen=True)
class Scores:
    """Evidence, no decision yet."""

    centres: str = "results/scores/centres.parquet"
    """The centre of every speaker."""
    calibration: str = "results/scores/centres.json"
    """What similarities mean on this data; beside the centres, whose reader looks for it there."""
    metric: str = "results/scores/centres.npz"
    """The metric that was learned from this data; beside the centres too."""
    centres_provenance: str = "results/scores/centres.provenance.json"
    """What the centres were made with."""
    shards: str = "results/scores/shards"
    """The folder of the parts of the evidence."""
    shard: str = "results/scores/shards/{shard}.parquet"
    """The evidence per utterance of a shard."""
    shard_provenance: str = "results/scores/shards/{shard}.json"
    """What it was made with."""
    scores: str = "results/scores/scores.parquet"
    """The evidence per utterance of the run."""


@dataclass(frozen=True)
class Lists:
    """The training lists, before and after cleansing."""

    folder: str = "results/lists"
    all: str = "results/lists/train_all.txt"
    """Every utterance of the training."""
    flagged: str = "results/lists/train_all_clean.txt"
    """The same with similarities and a flag."""
    clean: str = "results/lists/train_clean.txt"
    """What is believed right, for training on voice and face."""
    clean_audio: str = "results/lists/train_clean_audio.txt"
    """What is believed right, for training on voices."""
    clean_visual: str = "results/lists/train_clean_visual.txt"
    """What is believed right, for training on faces."""
    decisions: str = "results/lists/decisions.parquet"
    """A row an utterance: probabilities, decision, reason."""
    summary: str = "results/lists/summary.json"
    """Counts, and what was warned of."""


@dataclass(frozen=True)
class Audit:
    """Labels broken on purpose."""

    audit: str = "results/audit/audit.json"
    """What the cleansing found of them."""


@dataclass(frozen=True)
class Models:
    """What is trained on the lists."""

    encoder: str = "results/models/{modality}/{list}.safetensors"
    """An encoder."""
    history: str = "results/models/{modality}/{list}.csv"
    """The course of its training."""
    provenance: str = "results/models/{modality}/{list}.json"
    """What it was trained with."""
    fusion: str = "results/models/fusion/{list}/{model}.{seed}.safetensors"
    """A fusion model, or why there is none."""
    fusion_history: str = "results/models/fusion/{list}/{model}.{seed}.csv"
    """The course of its training."""
    fusion_provenance: str = "results/models/fusion/{list}/{model}.{seed}.json"
    """What it was trained with, and how long that took."""
    joint: str = "results/models/joint/{list}/{model}.{seed}.safetensors"
    """A joint model, both encoders inside, or why there is none."""
    joint_history: str = "results/models/joint/{list}/{model}.{seed}.csv"
    """The course of its training."""
    joint_provenance: str = "results/models/joint/{list}/{model}.{seed}.json"
    """What it was trained with, and how long that took."""


@dataclass(frozen=True)
class Joint:
    """What joint models made of the trials."""

    embeddings: str = "results/joint/{list}/{model}.{seed}.parquet"
    """An embedding of each pair of a voice and faces."""
    origin: str = "results/joint/{list}/{model}.{seed}.json"
    """Which model made them."""


@dataclass(frozen=True)
class Evaluation:
    """Error rates of the fusion models."""

    folder: str = "results/evaluation"
    trials: str = "results/evaluation/trials.txt"
    """Trials of the people who are kept for testing."""
    trusted: str = "results/evaluation/trials_trusted.txt"
    """Trials of those of their utterances that the cleansing trusts."""
    cohort: str = "results/evaluation/cohort.txt"
    """The cohort of the AS-norm, the same for every model."""
    damage: str = "results/evaluation/damage.parquet"
    """Which voices and faces of the trials are damaged in which condition, and how."""
    results: str = "results/evaluation/results.csv"
    """Error rates with their intervals."""
    gains: str = "results/evaluation/gains.csv"
    """What the cleansing changed, per model."""
    against: str = "results/evaluation/against.csv"
    """What each model is worth against the baselines."""
    times: str = "results/evaluation/times.csv"
    """How long each model took to encode and to score."""
    table: str = "results/evaluation/fusion_table.csv"
    """Every fusion model in one table."""
    text: str = "results/evaluation/fusion_table.md"
    """The same to read."""
    curves: str = "results/evaluation/curves.parquet"
    """DET curves."""
    provenance: str = "results/evaluation/provenance.json"
    """Trial lists, settings, digests of the models."""


@dataclass(frozen=True)
class Damage:
    """Damaged voices and faces of the trials, and their embeddings; what embeds the signals alone reads them."""

    folder: str = "results/damage"
    wav: str = "results/damage/{shard}.wav.tar"
    """Damaged sound; removed when it is embedded."""
    wav_index: str = "results/damage/{shard}.wav.parquet"
    """Where each of them lies in the tar."""
    extracted: str = "results/damage/{shard}.extracted.parquet"
    """What came of each damaged voice."""
    faces: str = "results/damage/{shard}.faces.tar"
    """Damaged faces; removed when they are embedded."""
    faces_index: str = "results/damage/{shard}.faces.parquet"
    """Where each of them lies in the tar."""
    detections: str = "results/damage/{shard}.detections.parquet"
    """A row per damaged face, its quality measured again; removed with them."""
    aligned: str = "results/damage/{shard}.aligned.parquet"
    """What came of the faces of each version."""
    signals_provenance: str = "results/damage/{shard}.json"
    """What the damaged signals were made with."""
    embedded: str = "results/damage_{modality}"
    """The folders of their embeddings."""
    embeddings: str = "results/damage_{modality}/{shard}.parquet"
    """An embedding a version."""
    segments: str = "results/damage_audio/{shard}.segments.parquet"
    """An embedding per segment of damaged sound."""
    frames: str = "results/damage_visual/{shard}.frames.parquet"
    """An embedding per damaged face."""
    status: str = "results/damage_{modality}/{shard}.status.parquet"
    """What came of each version."""
    provenance: str = "results/damage_{modality}/{shard}.json"
    """What the shard was made with."""


@dataclass(frozen=True)
class Twins(Damage):
    """The same of training utterances, for models that learn from their damaged twins."""

    folder: str = "results/twins"
    table: str = "results/twins/twins.parquet"
    """Which training utterances are damaged, and how."""
    wav: str = "results/twins/{shard}.wav.tar"
    """Their damaged sound; removed when it is embedded."""
    wav_index: str = "results/twins/{shard}.wav.parquet"
    """Where each of them lies in the tar."""
    extracted: str = "results/twins/{shard}.extracted.parquet"
    """What came of each damaged voice."""
    faces: str = "results/twins/{shard}.faces.tar"
    """Their damaged faces; removed when they are embedded."""
    faces_index: str = "results/twins/{shard}.faces.parquet"
    """Where each of them lies in the tar."""
    detections: str = "results/twins/{shard}.detections.parquet"
    """A row per damaged face; removed with them."""
    aligned: str = "results/twins/{shard}.aligned.parquet"
    """What came of the faces of each twin."""
    signals_provenance: str = "results/twins/{shard}.json"
    """What the damaged signals were made with."""
    embedded: str = "results/twins_{modality}"
    """The folders of their embeddings."""
    embeddings: str = "results/twins_{modality}/{shard}.parquet"
    """An embedding a twin."""
    segments: str = "results/twins_audio/{shard}.segments.parquet"
    """An embedding per segment of damaged sound."""
    frames: str = "results/twins_visual/{shard}.frames.parquet"
    """An embedding per damaged face."""
    status: str = "results/twins_{modality}/{shard}.status.parquet"
    """What came of each twin."""
    provenance: str = "results/twins_{modality}/{shard}.json"
    """What the shard was made with."""


@dataclass(frozen=True)
class Comparison:
    """The same encoders trained on both lists."""

    list: str = "results/comparison/lists/{list}.txt"
    """A list without the people who are kept for testing."""
    encoder: str = "results/comparison/models/{modality}/{list}.{seed}.safetensors"
    """An encoder."""
    history: str = "results/comparison/models/{modality}/{list}.{seed}.csv"
    """The course of its training."""
    provenance: str = "results/comparison/models/{modality}/{list}.{seed}.json"
    """What it was trained with."""
    embeddings: str = "results/comparison/embeddings/{modality}/{list}.{seed}.parquet"
    """Embeddings of the trials' and the cohort's utterances."""
    table: str = "results/comparison/comparison.csv"
    """A row per system and trial list."""
    facts: str = "results/comparison/comparison.json"
    """The same with the figures of every training."""
    curves: str = "results/comparison/curves.parquet"
    """DET curves."""
    text: str = "results/comparison/comparison.txt"
    """The difference, as text."""


@dataclass(frozen=True)
class Rounds:
    """The list cleansed again by encoders that were trained on what an earlier round left of it."""

    folder: str = "results/rounds"
    list: str = "results/rounds/{round}/train.txt"
    """What the round's encoders are trained on."""
    encoder: str = "results/rounds/{round}/models/{modality}.safetensors"
    """An encoder."""
    history: str = "results/rounds/{round}/models/{modality}.csv"
    """The course of its training."""
    provenance: str = "results/rounds/{round}/models/{modality}.json"
    """What it was trained with."""
    embeddings: str = "results/rounds/{round}/embed_{modality}/{shard}.parquet"
    """An embedding an utterance."""
    segments: str = "results/rounds/{round}/embed_audio/{shard}.segments.parquet"
    """Empty: segments are not scored."""
    frames: str = "results/rounds/{round}/embed_visual/{shard}.frames.parquet"
    """An embedding per face."""
    embed_status: str = "results/rounds/{round}/embed_{modality}/{shard}.status.parquet"
    """What came of each utterance."""
    embed_provenance: str = "results/rounds/{round}/embed_{modality}/{shard}.json"
    """What the shard was made with."""
    centres: str = "results/rounds/{round}/scores/centres.parquet"
    """The centre of every speaker."""
    calibration: str = "results/rounds/{round}/scores/centres.json"
    """What similarities mean in this round."""
    metric: str = "results/rounds/{round}/scores/centres.npz"
    """The metric that was learned in this round."""
    centres_provenance: str = "results/rounds/{round}/scores/centres.provenance.json"
    """What the centres were made with."""
    shard: str = "results/rounds/{round}/scores/shards/{shard}.parquet"
    """The evidence per utterance of a shard."""
    shard_provenance: str = "results/rounds/{round}/scores/shards/{shard}.json"
    """What it was made with."""
    scores: str = "results/rounds/{round}/scores/scores.parquet"
    """The evidence per utterance of the run."""
    lists: str = "results/rounds/{round}/lists"
    """The folder of the round's lists."""
    flagged: str = "results/rounds/{round}/lists/train_all_clean.txt"
    """The list with similarities and a flag."""
    clean: str = "results/rounds/{round}/lists/train_clean.txt"
    """What is believed right, for training on voice and face."""
    clean_audio: str = "results/rounds/{round}/lists/train_clean_audio.txt"
    """What is believed right, for training on voices."""
    clean_visual: str = "results/rounds/{round}/lists/train_clean_visual.txt"
    """What is believed right, for training on faces."""
    decisions: str = "results/rounds/{round}/lists/decisions.parquet"
    """A row an utterance: probabilities, decision, reason."""
    summary: str = "results/rounds/{round}/lists/summary.json"
    """Counts, and what was warned of."""
    table: str = "results/rounds/rounds.csv"
    """A row a round: agreement with the one before, precision and recall, error rates of its encoders."""
    facts: str = "results/rounds/rounds.json"
    """The same with counts by kind, and whether a round confirms itself."""
    utterances: str = "results/rounds/utterances.parquet"
    """A row an utterance: what each round says of it."""
    text: str = "results/rounds/rounds.txt"
    """The same in words."""


@dataclass(frozen=True)
class Report:
    """What a run ends with."""

    folder: str = "results/report"
    page: str = "results/report/index.html"
    """The report."""
    text: str = "results/report/summary.txt"
    """Its table, as text."""


@dataclass(frozen=True)
class Export:
    """Exports, which themselves lie in the folder ``export.out``."""

    summary: str = "results/export/{form}.json"
    """Counts of an export."""


@dataclass(frozen=True)
class Rebuilt:
    """The models that ship with the package, trained anew on people who are rendered for it."""

    frames: str = "results/rebuilt/people/{part}.tar"
    """Frames of the people."""
    frames_index: str = "results/rebuilt/people/{part}.parquet"
    """Where each of them lies in the tar."""
    truth: str = "results/rebuilt/people/{part}.truth.parquet"
    """Where the faces are."""
    rendered: str = "results/rebuilt/people/{part}.status.parquet"
    """What was rendered, as extraction would state it."""
    list: str = "results/rebuilt/people/{part}.txt"
    """The utterances."""
    faces: str = "results/rebuilt/people/{part}.faces.tar"
    """Aligned faces."""
    faces_index: str = "results/rebuilt/people/{part}.faces.parquet"
    """Where each of them lies in the tar."""
    detections: str = "results/rebuilt/people/{part}.detections.parquet"
    """A row per frame: what was detected there."""
    aligned: str = "results/rebuilt/people/{part}.aligned.parquet"
    """What came of each utterance in the alignment."""
    aligned_provenance: str = "results/rebuilt/people/{part}.faces.json"
    """What the faces were aligned with."""
    voices: str = "results/rebuilt/voices"
    """A folder to work in, of synthetic voices."""
    detector: str = "results/rebuilt/detector.onnx"
    """The face detector."""
    detector_provenance: str = "results/rebuilt/detector.json"
    """What it was trained with."""
    face_weights: str = "results/rebuilt/faces_mobileface_small.safetensors"
    """The face encoder as trained."""
    face_training: str = "results/rebuilt/faces_mobileface_small.json"
    """What it was trained with."""
    face_history: str = "results/rebuilt/faces_mobileface_small.csv"
    """The course of its training."""
    face_encoder: str = "results/rebuilt/faces.onnx"
    """The face encoder for InsightFace."""
    face_provenance: str = "results/rebuilt/faces.json"
    """What it was made with."""
    voice_encoder: str = "results/rebuilt/audio_ecapa_small.safetensors"
    """The audio encoder."""
    voice_provenance: str = "results/rebuilt/audio_ecapa_small.json"
    """What it was trained with."""


plan, truth, media, extract, align, embed = Plan(), Truth(), Media(), Extract(), Align(), Embed()
scores, lists, audit, models, evaluation, damage = Scores(), Lists(), Audit(), Models(), Evaluation(), Damage()
twins, joint, comparison, rounds, report = Twins(), Joint(), Comparison(), Rounds(), Report()
export, rebuilt = Export(), Rebuilt()

REMOVED = tuple(
    path
    for group in (damage, twins)
    for path in (group.wav, group.wav_index, group.faces, group.faces_index, group.detections)
)
"""What Snakemake removes once nothing needs it any more."""
