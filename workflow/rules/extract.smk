"""Frames and sound.

INPUTS: results/media.
OUTPUTS: results/extract: tars of frames (one every media.interval_s) and of 16 kHz mono wavs, with their indices.
"""


rule extract_media:
    """Decode the clips of a shard once."""
    input:
        W.source.media_inputs,
        index=P.media.index,
    output:
        frames=P.extract.frames,
        frames_index=P.extract.frames_index,
        wav=P.extract.wav,
        wav_index=P.extract.wav_index,
        status=P.extract.status,
        provenance=P.extract.provenance,
    log:
        P.log("extract_media", "{shard}"),
    benchmark:
        P.benchmark("extract_media", "{shard}")
    conda:
        W.env("media")
    resources:
        **W.needs("extract_media"),
    params:
        *W.code("extract_media"),
        roots=flags(W.source.roots),
        media=flags(W.config.media, leave=["keep_frames"]),
        modalities=W.config.source.modalities,
        max_failed=W.config.max_failed,
    message:
        "Decoding the clips of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/extract_media.py --index {input.index} {params.roots} {params.media}"
        " --modalities {params.modalities} --max-failed {params.max_failed} --threads {threads}"
        " --frames {output.frames} --wav {output.wav} --status {output.status} --provenance {output.provenance}"
        " > {log} 2>&1"
