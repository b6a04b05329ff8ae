"""Evaluate a list of the size of Vox1-E, by matrix work and by the field's loops over trials; print the ratios.

579,818 trials over 145,160 utterances, embeddings made up (a speaker's direction plus noise) so that errors are as
frequent as with a modest encoder. Two habits of the field are timed:

pairwise    scikit-learn's ``cosine_similarity`` called for every trial, as score scripts of speaker toolkits do;
matmul      ``torch.matmul`` of two normalised rows for every trial, as the ECAPA-TDNN and AVCleanse trainers do;

both followed by a walk over the sorted scores. All sides begin with the trial list as text on disk and the embeddings
in memory, and end with EER and minDCF. The whole takes about 4 minutes, nearly all of it in the first loop.
With --cohort the AS-norm of all trials is timed too, against as many speakers as VoxCeleb2 has, and its memory.

    python benchmarks/evaluate.py [--trials N] [--threads N] [--cohort 5994]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics.pairwise import cosine_similarity
from threadpoolctl import threadpool_limits

from avsieve.evaluation.as_norm import as_norm
from avsieve.evaluation.metrics import summarise
from avsieve.evaluation.scoring import Part, align, cosines
from avsieve.evaluation.trials import Trials, make_trial_list, read_trials, write_trials

UTTERANCES, TRIALS, TARGETS, SPEAKERS, DIM = 145_160, 579_818, 289_921, 1_251, 192


def make_up(n_trials: int, rng: np.random.Generator) -> tuple[list[str], np.ndarray, list[bool], list[str], list[str]]:
    """Return utterances, embeddings (N, D), labels, enrol and test ids."""
    speaker = np.sort(rng.integers(0, SPEAKERS, UTTERANCES))
    centres = rng.standard_normal((SPEAKERS, DIM)).astype(np.float32)
    embeddings = centres[speaker] + 1.9 * rng.standard_normal((UTTERANCES, DIM)).astype(np.float32)
    names = [f"id{10001 + s}/vid{i % 18:02d}/{i:05d}" for i, s in enumerate(speaker.tolist())]
    starts = np.searchsorted(speaker, np.arange(SPEAKERS + 1))
    n_targets = n_trials * TARGETS // TRIALS
    enrol = rng.integers(0, UTTERANCES, n_trials)
    low, high = starts[speaker[enrol]], starts[speaker[enrol] + 1]
    own = low + (rng.random(n_trials) * (high - low)).astype(np.int64)
    test = np.where(np.arange(n_trials) < n_targets, own, rng.integers(0, UTTERANCES, n_trials))
    labels = speaker[enrol] == speaker[test]
    order = rng.permutation(n_trials)
    picked = [(names[e], names[t]) for e, t in zip(enrol[order].tolist(), test[order].tolist(), strict=True)]
    return names, embeddings, labels[order].tolist(), [e for e, _ in picked], [t for _, t in picked]


def pairwise_scores(path: Path, table: dict[str, np.ndarray]) -> tuple[list[float], list[int]]:
    """Call scikit-learn for one trial after another; rows are (1, D)."""
    scores, labels = [], []
    for line in path.read_text().splitlines():
        label, enrol, test = line.split()
        scores.append(float(cosine_similarity(table[enrol], table[test])[0, 0]))
        labels.append(int(label))
    return scores, labels


def matmul_scores(path: Path, table: dict[str, np.ndarray]) -> tuple[list[float], list[int]]:
    """Multiply two rows, normalised beforehand, for one trial after another; rows are (1, D)."""
    unit = {name: torch.nn.functional.normalize(torch.from_numpy(row), p=2, dim=1) for name, row in table.items()}
    scores, labels = [], []
    for line in path.read_text().splitlines():
        label, enrol, test = line.split()
        scores.append(torch.mean(torch.matmul(unit[enrol], unit[test].T)).item())
        labels.append(int(label))
    return scores, labels


def loop_metrics(scores: list[float], labels: list[int]) -> tuple[float, dict[float, float]]:
    """Walk over the sorted scores: EER where the rates cross (straight line between), minDCF at both priors."""
    ranked = sorted(zip(scores, labels, strict=True), reverse=True)
    targets, nontargets = sum(labels), len(labels) - sum(labels)
    hits = false_alarms = 0
    last, eer, costs = (0.0, 1.0), None, {0.01: 1.0, 0.05: 1.0}
    for i, (score, label) in enumerate(ranked):
        hits += label
        false_alarms += 1 - label
        if i + 1 < len(ranked) and ranked[i + 1][0] == score:
            continue
        fpr, fnr = false_alarms / nontargets, 1 - hits / targets
        if eer is None and fpr >= fnr:
            share = (last[1] - last[0]) / ((last[1] - last[0]) - (fnr - fpr))
            eer = last[0] + share * (fpr - last[0])
        last = (fpr, fnr)
        for p in costs:
            costs[p] = min(costs[p], (p * fnr + (1 - p) * fpr) / min(p, 1 - p))
    return float(eer or 0.0), costs


def time_as_norm(part: Part, trials: Trials, speakers: int, threads: int) -> None:
    """Normalise all scores against the top 300 of a cohort; print seconds and the memory that all this took."""
    rng = np.random.default_rng(1)
    centres = Part.of(rng.standard_normal((speakers, DIM), dtype=np.float32)).vectors
    with threadpool_limits(threads):
        begin = time.perf_counter()
        scores = as_norm(part, centres, 300, trials.enrol, trials.test)
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert np.isfinite(scores).all()
    print(f"AS-norm, top 300 of {speakers:,} cohort speakers: {seconds:.1f} s; the process held {peak:.0f} MiB at most")


def main() -> None:
    """Run both and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cohort", type=int, default=0, help="speakers of an AS-norm's cohort; 0 for none")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    names, embeddings, labels, enrol, test = make_up(args.trials, np.random.default_rng(0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.txt"
        write_trials(path, make_trial_list(labels, enrol, test))

        start = time.perf_counter()
        trials = read_trials(path)
        read = time.perf_counter()
        part = Part.of(*align(trials.utterances, names, embeddings))
        scores = cosines(part, trials.enrol, trials.test)
        scored = time.perf_counter()
        ours = summarise(scores, trials.is_target)
        fast = time.perf_counter() - start

        rows = [("matrix work", fast, ours["eer"], {p: ours[f"min_dcf_{p}"] for p in (0.01, 0.05)})]
        table = {f"{n}.wav": e[None] for n, e in zip(names, embeddings, strict=True)}
        for name, habit in (("pairwise", pairwise_scores), ("matmul", matmul_scores)):
            begin = time.perf_counter()
            eer, costs = loop_metrics(*habit(path, table))
            rows.append((name, time.perf_counter() - begin, eer, costs))
    print(f"{len(trials):,} trials, {len(trials.utterances):,} utterances, {DIM} dimensions, {args.threads} thread(s)")
    print(f"{'':12}{'seconds':>9}{'ms/trial':>10}{'ratio':>7}{'EER %':>9}{'minDCF 0.01':>13}{'minDCF 0.05':>13}")
    for name, seconds, eer, costs in rows:
        rates = f"{100 * eer:9.3f}{costs[0.01]:13.4f}{costs[0.05]:13.4f}"
        print(f"{name:12}{seconds:9.2f}{1000 * seconds / len(trials):10.4f}{seconds / fast:7.0f}{rates}")
    if args.cohort:
        time_as_norm(part, trials, args.cohort, args.threads)
    print(f"matrix work: read {read - start:.2f} s, score {scored - read:.2f} s, rates {start + fast - scored:.2f} s")


if __name__ == "__main__":
    main()
