"""Targets named after the stages: `snakemake --cores N score` goes as far as the scores."""


localrules:
    fetch,
    extract,
    align,
    embed,
    score,
    clean,
    train,
    train_encoders,
    evaluate,
    report,


rule fetch:
    """As far as the clips."""
    input:
        W.source.need_media(
            "fetch", expand("results/media/{shard}.parquet", shard=W.shards)
        ),


rule extract:
    """As far as frames and wavs."""
    input:
        W.source.need_media(
            "extract", expand("results/extract/{shard}.wav.tar", shard=W.shards)
        ),


rule align:
    """As far as aligned faces."""
    input:
        W.source.need_media(
            "align", expand("results/align/{shard}.faces.tar", shard=W.shards)
        ),


rule embed:
    """As far as embeddings."""
    input:
        expand(
            "results/{stage}/{shard}.parquet",
            stage=["embed_audio", "embed_visual"],
            shard=W.shards,
        ),


rule score:
    """As far as the evidence."""
    input:
        "results/scores/scores.parquet",


rule clean:
    """As far as the lists."""
    input:
        "results/lists/train_clean.txt",


rule train:
    """As far as the fusion models."""
    input:
        W.fusion_models,


rule train_encoders:
    """Encoders of our own on the full and on the cleansed list; `all` does not need them."""
    input:
        W.source.need_media(
            "train_encoders",
            expand(
                "results/models/{modality}/{list}.safetensors",
                modality=["audio", "visual"],
                list=["all", "clean"],
            ),
        ),


rule evaluate:
    """As far as the error rates."""
    input:
        "results/evaluation/results.csv",


rule report:
    """As far as the report."""
    input:
        "results/report/index.html",
