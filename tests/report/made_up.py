"""A small run: decisions, truth, evaluation, shards with faces and voices."""

from __future__ import annotations

import io
import wave

import cv2
import numpy as np
import pandas as pd

from avsieve.cleansing.list_digest import list_digest
from avsieve.evaluation.metrics import METRICS
from avsieve.report.media import Media
from avsieve.storage.indexed_tar import TarWriter

TRUE_KIND = {"video": "video", "audio": "voice", "visual": "face", "": "clean"}


def make_decisions(speakers=4, videos=3, utterances=4, seed=0):
    """Return decisions; the first video of s0 is wrong, and one voice of s1, one face of s2; one row is unjudged."""
    rng = np.random.default_rng(seed)
    rows = []
    for s in range(speakers):
        for v in range(videos):
            for u in range(utterances):
                kind = {(0, 0): "video"}.get((s, v), "")
                kind = {(1, 1, 2): "audio", (2, 2, 3): "visual"}.get((s, v, u), kind)
                audio = kind in ("video", "audio")
                visual = kind in ("video", "visual")
                p = 0.9 + 0.09 * rng.random() if kind else 0.08 * rng.random()
                rows.append(
                    {
                        "utterance": f"s{s}/v{v}/{u:05d}",
                        "speaker": f"s{s}",
                        "p_audio_wrong": p if audio else 0.01,
                        "p_visual_wrong": p if visual else 0.01,
                        "p_wrong": p,
                        "kind": kind,
                        "suggested_speaker": f"s{(s + 1) % speakers}" if kind else None,
                        "p_suggested": 0.8 if kind else np.nan,
                        "decision": "noisy" if kind else "clean",
                        "reason": f"wrong_{kind}" if kind else "ok",
                        "audio_similarity": 0.05 if audio else 0.6 + 0.1 * rng.random(),
                        "visual_similarity": 0.05 if visual else 0.7 + 0.1 * rng.random(),
                    }
                )
    rows[-1] |= dict.fromkeys(
        ["p_wrong", "p_audio_wrong", "p_visual_wrong", "audio_similarity", "visual_similarity"], np.nan
    )
    rows[-1] |= {"decision": "incomplete", "reason": "no_embedding"}
    return pd.DataFrame(rows)


def make_truth(decisions):
    """Return the truth that agrees with the decisions."""
    kinds = [TRUE_KIND[k] for k in decisions["kind"]]
    return pd.DataFrame({"utterance": decisions["utterance"], "kind": kinds})


def make_summary(decisions, **more):
    """Return what `lists/summary.json` holds of them."""
    flagged = decisions["decision"] == "noisy"
    return {
        "utterances": len(decisions),
        "speakers": decisions["speaker"].nunique(),
        "noisy": int(flagged.sum()),
        "estimated": {"precision": 0.97, "recall": 0.93, "f1": 0.95, "wrong": 6.1},
        "missing": {"audio": 1, "visual": 0},
        "fallback": {"audio": 0, "visual": 0},
        "warnings": {
            "emptied_speakers": {"count": 0, "speakers": []},
            "mostly_wrong_speakers": {"count": 1, "speakers": ["s0"]},
            "two_identities": {"count": 0, "speakers": []},
            "merge": [["s1", "s3", 0.91]],
            "merge_count": 1,
        },
        "settings": {"method": "posterior", "policy": "either", "threshold": 0.5, "options": {}},
    } | more


def make_results(conditions=("whole",)):
    """Return `evaluation/results.csv`, gains and curves; the EER of each condition is higher than before it."""
    rows = []
    for number, condition in enumerate(conditions):
        for model, arm, seed, eer in (
            ("audio", "-", None, 0.08),
            ("score_average", "-", None, 0.03),
            ("gated", "all", 0, 0.04),
            ("gated", "all", 1, 0.06),
            ("gated", "clean", 0, 0.02),
            ("gated", "clean", 1, 0.02),
        ):
            eer *= 1 + number
            rows.append(
                {"model": model, "trained_on": arm, "seed": seed, "condition": condition, "eer": eer}
                | {name: k * eer for k, name in zip((5, 3, 2), [m for m in METRICS if m != "eer"], strict=False)}
                | {"eer_low": eer / 2, "eer_high": 2 * eer}
                | {"n_trials": 200, "n_targets": 100, "n_missing": 0, "n_speakers": 10, "trials": "trials"}
                | {"trials_version": "-", "eer_definition": "interpolated"}
            )
    gain = {"model": "gated", "condition": "whole", "seeds": 2, "eer_all": 0.05, "eer_clean": 0.02, "eer_gain": 0.03}
    gain |= {"eer_all_low": 0.031, "eer_all_high": 0.072, "eer_clean_low": 0.011, "eer_clean_high": 0.033}
    gains = pd.DataFrame([gain | {"eer_gain_low": 0.01, "eer_gain_high": 0.04}])
    fpr = np.linspace(0, 1, 30)
    curves = [
        pd.DataFrame({"model": m, "trained_on": a, "condition": c, "fpr": fpr, "fnr": (1 - fpr) ** 4})
        for c in conditions
        for m, a in (("audio", "-"), ("gated", "all"), ("gated", "all"), ("gated", "clean"))
    ]
    return pd.DataFrame(rows), gains, pd.concat(curves)


def on_two_lists():
    """Return results, gains and curves on trusted trials, and worse ones on those with the labels as given."""
    tables = make_results()
    worse = [table.copy() for table in tables]
    rates = [c for c in worse[0] if c.startswith(("eer", "min_dcf")) and c != "eer_definition"]
    worse[0][rates] += 0.1
    worse[1]["eer_gain_low"] = -0.01
    pairs = zip(worse, tables, strict=True)
    given, trusted = ({"list": labels, "labels": labels} for labels in ("given", "trusted"))
    return tuple(pd.concat([w.assign(**given), t.assign(**trusted)]) for w, t in pairs)


def wav_bytes(seconds, rate=16000):
    """Return a wav of noise."""
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(rate)
        samples = np.random.default_rng(0).integers(-1000, 1000, int(seconds * rate)).astype("<i2")
        target.writeframes(samples.tobytes())
    return out.getvalue()


def make_media(folder, utterances, frames=4):
    """Write a shard of faces and one of wavs; return the reader."""
    with TarWriter(folder / "000.faces.tar") as writer:
        for k, name in enumerate(utterances):
            for f in range(frames):
                image = np.full((112, 112, 3), (40 * f, 7 * k % 255, 90), np.uint8)
                writer.add(name, f"{name}/{10 * f:04d}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    with TarWriter(folder / "000.wav.tar") as writer:
        for name in utterances:
            writer.add(name, f"{name}.wav", wav_bytes(1.0))
    return Media([folder / "000.faces.tar"], [folder / "000.wav.tar"], dict.fromkeys(utterances, "000"))


def make_boxes(utterance):
    """Return what was detected in two frames of an utterance: a face in the first, none in the other."""
    corners = {"x1": [10.0, np.nan], "y1": [20.0, np.nan], "x2": [100.0, np.nan], "y2": [140.0, np.nan]}
    return pd.DataFrame({"utterance": utterance, "frame": ["0000", "0030"]} | corners)


def make_audit(decisions, **more):
    """Return `audit/audit.json` of the list of these decisions."""
    return {
        "list_sha256": list_digest(decisions["utterance"], decisions["speaker"]),
        "settings": {"rate": 0.1, "seed": 0, "method": "posterior", "policy": "either", "threshold": 0.5},
        "utterances": 40,
        "injected": 8,
        "set_aside": 3,
        "flagged": 6,
        "measured": {
            "precision": {"value": 0.9, "low": 0.71, "high": 0.99},
            "recall": {"value": 0.8, "low": 0.61, "high": 0.95},
            "f1": {"value": 0.85, "low": 0.65, "high": 0.97},
        },
        "recall_by_kind": {"video": 1.0, "audio": 0.75, "mixed": 0.25},
        "recall_by_person": {"any": 0.8},
        "mixed_voices": {"found": 0.25, "hidden_at_most": None, "recall": None},
        "kinds": {"video": 0.5, "audio": 0.5},
        "outside": 0.3,
        "estimated": {"precision": 0.97, "recall": 0.93, "f1": 0.95},
    } | more


def make_comparison():
    """Return `comparison/comparison.json` and its curves."""
    rows = []
    for system, scores, before, after, low in (
        ("audio_encoder", "raw", 0.25, 0.15, 0.06),
        ("audio_encoder", "as_norm", 0.24, 0.15, 0.05),
        ("visual_encoder", "raw", 0.10, 0.09, -0.01),
    ):
        row = {"system": system, "scores": scores, "seeds": 3, "seeds_better": 3}
        for figure, factor in zip(METRICS, (1, 3, 2, 2), strict=False):
            row |= {f"{figure}_all": factor * before, f"{figure}_clean": factor * after}
        row |= {"eer_gain": before - after, "eer_gain_relative": 1 - after / before}
        rows.append(row | {"eer_gain_low": low, "eer_gain_high": 2 * (before - after) - low})
    facts = {"trials": "trials", "trials_version": "-", "eer_definition": "interpolated", "n_trials": 1152}
    facts |= {
        "n_speakers": 24,
        "seeds": [0, 1, 2],
        "lists": {a: {"utterances": n} for a, n in (("all", 480), ("clean", 286))},
    }
    fpr = np.linspace(0, 1, 20)
    curves = [
        pd.DataFrame({"model": "audio_encoder", "trained_on": arm, "seed": s, "fpr": fpr, "fnr": (1 - fpr) ** (2 + s)})
        for arm in ("all", "clean")
        for s in (0, 1)
    ]
    return facts | {"gains": rows, "runs": []}, pd.concat(curves, ignore_index=True)
