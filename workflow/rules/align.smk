"""Faces.

INPUTS: results/extract (frames).
OUTPUTS: results/align: tars of faces, 112 x 112, on the ArcFace template; a row per frame of what was detected.
"""


rule align_faces:
    """Detect the faces of a shard and align the speaker's."""
    input:
        brought(W.face_files),
        frames="results/extract/{shard}.frames.tar",
        frames_index="results/extract/{shard}.frames.parquet",
        extracted="results/extract/{shard}.status.parquet",
    output:
        faces="results/align/{shard}.faces.tar",
        faces_index="results/align/{shard}.faces.parquet",
        detections="results/align/{shard}.detections.parquet",
        status="results/align/{shard}.status.parquet",
        provenance="results/align/{shard}.json",
    log:
        "results/logs/align_faces/{shard}.log",
    benchmark:
        "results/benchmarks/align_faces/{shard}.tsv"
    conda:
        W.env("faces")
    threads: W.face_threads
    resources:
        gpu=W.gpu,
    params:
        *W.code("align_faces"),
        model=W.builtin(W.config.faces.detector, "detector.onnx"),
        models=W.models["faces"],
        faces=flags(W.faces),
        device=W.config.device,
        max_failed=W.config.max_failed,
    message:
        "Aligning the faces of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/align_faces.py --frames {input.frames} --extracted {input.extracted}"
        " {params.faces} --device {params.device} --max-failed {params.max_failed}"
        " --threads {threads} --faces {output.faces} --detections {output.detections} --status {output.status}"
        " --provenance {output.provenance} > {log} 2>&1"
