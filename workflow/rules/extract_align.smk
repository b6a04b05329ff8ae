"""Sound and faces in one go, with media.keep_frames: false; the frames are not stored.

INPUTS: results/media.
OUTPUTS: results/extract: tars of 16 kHz mono wavs; results/align: tars of faces, 112 x 112, on the ArcFace template; a
row per frame of what was detected.
"""


rule extract_faces:
    """Decode the clips of a shard once, and align the speaker's faces."""
    input:
        W.source.media_inputs,
        brought(W.face_files),
        index="results/media/{shard}.parquet",
    output:
        wav="results/extract/{shard}.wav.tar",
        wav_index="results/extract/{shard}.wav.parquet",
        extracted="results/extract/{shard}.status.parquet",
        extract_provenance="results/extract/{shard}.json",
        faces="results/align/{shard}.faces.tar",
        faces_index="results/align/{shard}.faces.parquet",
        detections="results/align/{shard}.detections.parquet",
        status="results/align/{shard}.status.parquet",
        provenance="results/align/{shard}.json",
    log:
        "results/logs/extract_faces/{shard}.log",
    benchmark:
        "results/benchmarks/extract_faces/{shard}.tsv"
    conda:
        W.env("faces")
    threads: W.face_threads
    resources:
        gpu=W.gpu,
    params:
        *W.code("extract_faces"),
        model=W.builtin(W.config.faces.detector, "detector.onnx"),
        roots=flags(W.source.roots),
        media=flags(W.config.media, leave=["keep_frames", "jpeg_quality"]),
        modalities=W.config.source.modalities,
        models=W.models["faces"],
        faces=flags(W.faces),
        device=W.config.device,
        max_failed=W.config.max_failed,
    message:
        "Decoding and aligning the faces of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/extract_faces.py --index {input.index} {params.roots} {params.media}"
        " --modalities {params.modalities} {params.faces} --device {params.device} --max-failed {params.max_failed}"
        " --threads {threads} --wav {output.wav} --extracted {output.extracted}"
        " --extract-provenance {output.extract_provenance} --faces {output.faces} --detections {output.detections}"
        " --status {output.status} --provenance {output.provenance} > {log} 2>&1"
