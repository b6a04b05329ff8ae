"""Targets named after the stages: `snakemake --cores N score` goes as far as the scores."""


rule fetch:
    input:
        expand("results/media/{shard}.parquet", shard=W.shards),


rule extract:
    input:
        expand("results/extract/{shard}.frames.tar", shard=W.shards),
