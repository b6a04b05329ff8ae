"""Training from a list: {list} is `all` (before cleansing) or `clean` (after it).

INPUTS: results/lists, and wavs, faces or embeddings.
OUTPUTS: results/models.
"""


rule train_audio:
    """Train an audio encoder on a list."""
    input:
        list=W.list_of,
        wav=expand("results/extract/{shard}.wav.tar", shard=W.shards),
        wav_index=expand("results/extract/{shard}.wav.parquet", shard=W.shards),
    output:
        model="results/models/audio/{list}.safetensors",
        history="results/models/audio/{list}.csv",
        provenance="results/models/audio/{list}.json",
    log:
        "results/logs/train_audio/{list}.log",
    benchmark:
        "results/benchmarks/train_audio/{list}.tsv"
    conda:
        W.env("torch")
    params:
        code=W.code("train_audio", *W.network("audio", W.config.training.audio.arch)),
        training=flags(W.config.training.audio),
        device=W.config.device,
    resources:
        gpu=W.gpu,
    message:
        "Training an audio encoder on the list `{wildcards.list}`"
    shell:
        "python $AVSIEVE_SCRIPTS/train_audio.py --list {input.list} --wav {input.wav} {params.training}"
        " --device {params.device} --threads {threads} --output {output.model} --log {output.history}"
        " --provenance {output.provenance} > {log} 2>&1"
