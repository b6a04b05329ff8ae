"""Targets named after the stages: `snakemake --cores N score` goes as far as the scores.

Forcing a stage (`--forcerun score`) forces the rules that it stands for, and with them what follows.
"""


rule fetch:
    input:
        forcing("fetch", "fetch_media"),
        W.source.need_media(
            "fetch", expand("results/media/{shard}.parquet", shard=W.shards)
        ),
    """As far as the clips."""
    localrule: True


rule extract:
    input:
        forcing("extract", "extract_media", "extract_faces"),
        W.source.need_media(
            "extract", expand("results/extract/{shard}.wav.tar", shard=W.shards)
        ),
    """As far as frames and wavs."""
    localrule: True


rule align:
    input:
        forcing("align", "align_faces", "extract_faces"),
        W.source.need_media(
            "align", expand("results/align/{shard}.faces.tar", shard=W.shards)
        ),
    """As far as aligned faces."""
    localrule: True


rule embed:
    input:
        forcing("embed", "embed_audio", "embed_visual", "split_embeddings"),
        expand(
            "results/{stage}/{shard}.parquet",
            stage=["embed_audio", "embed_visual"],
            shard=W.shards,
        ),
    """As far as embeddings."""
    localrule: True


rule score:
    input:
        forcing("score", "pool_speakers", "score_utterances", "merge_scores"),
        "results/scores/scores.parquet",
    """As far as the evidence."""
    localrule: True


rule clean:
    input:
        forcing("clean", "list_utterances", "clean_list"),
        "results/lists/train_clean.txt",
    """As far as the lists."""
    localrule: True


rule train:
    input:
        forcing("train", "train_fusion"),
        W.fusion_models,
    """As far as the fusion models."""
    localrule: True


rule train_encoders:
    input:
        forcing("train_encoders", "train_audio", "train_visual"),
        W.source.need_media(
            "train_encoders",
            expand(
                "results/models/{modality}/{list}.safetensors",
                modality=["audio", "visual"],
                list=["all", "clean"],
            ),
        ),
    """Encoders of our own on the full and on the cleansed list; `all` does not need them."""
    localrule: True


rule train_audio_encoders:
    input:
        forcing("train_audio_encoders", "train_audio"),
        W.source.need_media(
            "train_audio_encoders",
            expand("results/models/audio/{list}.safetensors", list=["all", "clean"]),
        ),
    """Of these, the encoders of voices."""
    localrule: True


rule train_visual_encoders:
    input:
        forcing("train_visual_encoders", "train_visual"),
        W.source.need_media(
            "train_visual_encoders",
            expand("results/models/visual/{list}.safetensors", list=["all", "clean"]),
        ),
    """Of these, the encoders of faces."""
    localrule: True


rule evaluate:
    input:
        forcing("evaluate", "make_trials", "list_cohort", "evaluate_fusion"),
        "results/evaluation/results.csv",
    """As far as the error rates."""
    localrule: True


rule report:
    input:
        forcing("report", "write_report"),
        "results/report/index.html",
    """As far as the report."""
    localrule: True


rule remove_old_shards:
    """Remove the files of shards that the configuration no longer has; nothing reads them."""
    localrule: True
    params:
        results=W.at.results,
        shards=W.config.shards,
    shell:
        "python $AVSIEVE_SCRIPTS/remove_old_shards.py --results {params.results} --shards {params.shards}"
