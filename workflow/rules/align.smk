"""Faces.

INPUTS: results/extract (frames).
OUTPUTS: results/align: tars of faces, 112 x 112, on the ArcFace template, and of other crops; a row per frame of what was detected.
"""


rule align_faces:
    """Detect the faces of a shard and align the speaker's."""
    input:
        brought(W.face_files),
        frames=P.extract.frames,
        frames_index=P.extract.frames_index,
        extracted=P.extract.status,
    output:
        faces=P.align.faces,
        faces_index=P.align.faces_index,
        detections=P.align.detections,
        status=P.align.status,
        provenance=P.align.provenance,
        crops=expand(P.align.crops, crop=W.crops.others, allow_missing=True),
        crops_index=expand(P.align.crops_index, crop=W.crops.others, allow_missing=True),
    log:
        P.log("align_faces", "{shard}"),
    benchmark:
        P.benchmark("align_faces", "{shard}")
    conda:
        W.env("faces")
    threads: W.face_threads
    resources:
        **W.needs("align_faces"),
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
        " --threads {threads} --faces {output.faces} --detections {output.detections} --crop-tars {output.crops} --status {output.status}"
        " --provenance {output.provenance} > {log} 2>&1"
