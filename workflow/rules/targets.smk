"""Targets named after the stages: `snakemake --cores N score` goes as far as the scores."""


rule fetch:
    input:
        expand("results/media/{shard}.parquet", shard=W.shards),


rule extract:
    input:
        expand("results/extract/{shard}.frames.tar", shard=W.shards),


rule align:
    input:
        expand("results/align/{shard}.faces.tar", shard=W.shards),


rule embed:
    input:
        expand(
            "results/{stage}/{shard}.parquet",
            stage=["embed_audio", "embed_visual"],
            shard=W.shards,
        ),


rule score:
    input:
        "results/scores/scores.parquet",


rule clean:
    input:
        "results/lists/train_clean.txt",
