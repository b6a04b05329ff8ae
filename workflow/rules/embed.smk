"""Embeddings of both modalities, pooled per utterance, and per segment or face as well.

INPUTS: results/extract (wavs), results/align (faces).
OUTPUTS: results/embed_audio, results/embed_visual.
"""


rule embed_audio:
    """Embed the voices of a shard."""
    input:
        brought(W.audio_file),
        wav="results/extract/{shard}.wav.tar",
        wav_index="results/extract/{shard}.wav.parquet",
        extracted="results/extract/{shard}.status.parquet",
    output:
        embeddings="results/embed_audio/{shard}.parquet",
        segments="results/embed_audio/{shard}.segments.parquet",
        status="results/embed_audio/{shard}.status.parquet",
        provenance="results/embed_audio/{shard}.json",
    log:
        "results/logs/embed_audio/{shard}.log",
    benchmark:
        "results/benchmarks/embed_audio/{shard}.tsv"
    conda:
        W.env("torch", W.config.audio.arch)
    resources:
        gpu=W.gpu,
    params:
        *W.code("embed_audio", *W.network("audio", W.config.audio.arch)),
        model=W.builtin(W.config.audio.checkpoint, "audio_ecapa_small.safetensors"),
        weights=W.models["audio"],
        audio=flags(W.config.audio),
        device=W.config.device,
        max_failed=W.config.max_failed,
    message:
        "Embedding the voices of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/embed_audio.py --wav {input.wav} --extracted {input.extracted} {params.audio}"
        " --device {params.device} --threads {threads} --max-failed {params.max_failed}"
        " --output {output.embeddings} --segments {output.segments} --status {output.status}"
        " --provenance {output.provenance} > {log} 2>&1"


rule embed_visual:
    """Embed the faces of a shard."""
    input:
        brought(W.visual_file),
        faces="results/align/{shard}.faces.tar",
        faces_index="results/align/{shard}.faces.parquet",
        detections="results/align/{shard}.detections.parquet",
        aligned="results/align/{shard}.status.parquet",
    output:
        embeddings="results/embed_visual/{shard}.parquet",
        frames="results/embed_visual/{shard}.frames.parquet",
        status="results/embed_visual/{shard}.status.parquet",
        provenance="results/embed_visual/{shard}.json",
    log:
        "results/logs/embed_visual/{shard}.log",
    benchmark:
        "results/benchmarks/embed_visual/{shard}.tsv"
    conda:
        W.env("faces" if W.config.visual.arch == "onnx" else "torch")
    resources:
        gpu=W.gpu,
    params:
        *W.code("embed_visual", *W.network("visual", W.config.visual.arch)),
        model=W.builtin(W.config.visual.model, "faces.onnx"),
        weights=W.models["visual"],
        visual=flags(W.config.visual),
        device=W.config.device,
        max_failed=W.config.max_failed,
    message:
        "Embedding the faces of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/embed_visual.py --faces {input.faces} --detections {input.detections}"
        " --aligned {input.aligned} {params.visual} --device {params.device} --threads {threads}"
        " --max-failed {params.max_failed} --embeddings {output.embeddings} --frame-embeddings {output.frames} --status {output.status}"
        " --provenance {output.provenance} > {log} 2>&1"
