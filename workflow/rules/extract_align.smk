"""Sound and faces in one go, with media.keep_frames: false; the frames are not stored.

INPUTS: results/media.
OUTPUTS: results/extract: tars of 16 kHz mono wavs; results/align: tars of faces, 112 x 112, on the ArcFace template, and of
other crops; a row per frame of what was detected.
"""


rule extract_faces:
    """Decode the clips of a shard once, and align the speaker's faces."""
    input:
        W.source.media_inputs,
        brought(W.face_files),
        index=P.media.index,
    output:
        wav=P.extract.wav,
        wav_index=P.extract.wav_index,
        extracted=P.extract.status,
        extract_provenance=P.extract.provenance,
        faces=P.align.faces,
        faces_index=P.align.faces_index,
        detections=P.align.detections,
        status=P.align.status,
        provenance=P.align.provenance,
        crops=expand(P.align.crops, crop=W.crops.others, allow_missing=True),
        crops_index=expand(P.align.crops_index, crop=W.crops.others, allow_missing=True),
    log:
        P.log("extract_faces", "{shard}"),
    benchmark:
        P.benchmark("extract_faces", "{shard}")
    conda:
        W.env("faces")
    threads: W.face_threads
    resources:
        **W.needs("extract_faces"),
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
        " --extract-provenance {output.extract_provenance} --faces {output.faces} --detections {output.detections} --crop-tars {output.crops}"
        " --status {output.status} --provenance {output.provenance} > {log} 2>&1"
