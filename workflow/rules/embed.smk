"""Embeddings of both modalities, pooled per utterance, and per segment or face as well.

INPUTS: results/extract (wavs), results/align (faces).
OUTPUTS: results/embed_audio, results/embed_visual.
"""


rule embed_audio:
    """Embed the voices of a shard."""
    input:
        brought(W.audio_file),
        wav=P.extract.wav,
        wav_index=P.extract.wav_index,
        extracted=P.extract.status,
    output:
        embeddings=P.of(P.embed.embeddings, modality="audio"),
        segments=P.embed.segments,
        status=P.of(P.embed.status, modality="audio"),
        provenance=P.of(P.embed.provenance, modality="audio"),
    log:
        P.log("embed_audio", "{shard}"),
    benchmark:
        P.benchmark("embed_audio", "{shard}")
    conda:
        W.env(W.encoder("audio", W.config.audio.arch).environment)
    resources:
        **W.needs("embed_audio"),
        gpu=W.gpu,
    params:
        *W.code("embed_audio", *W.encoder("audio", W.config.audio.arch).modules),
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
        " --embeddings {output.embeddings} --segment-embeddings {output.segments} --status {output.status}"
        " --provenance {output.provenance} > {log} 2>&1"


rule embed_visual:
    """Embed the faces of a shard."""
    input:
        brought(W.visual_file),
        faces=W.crops.embedded,
        faces_index=W.crops.embedded_index,
        detections=P.align.detections,
        aligned=P.align.status,
    output:
        embeddings=P.of(P.embed.embeddings, modality="visual"),
        frames=P.embed.frames,
        status=P.of(P.embed.status, modality="visual"),
        provenance=P.of(P.embed.provenance, modality="visual"),
    log:
        P.log("embed_visual", "{shard}"),
    benchmark:
        P.benchmark("embed_visual", "{shard}")
    conda:
        W.env(W.encoder("visual", W.config.visual.arch).environment)
    resources:
        **W.needs("embed_visual"),
        gpu=W.gpu,
    params:
        *W.code("embed_visual", *W.encoder("visual", W.config.visual.arch).modules),
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
