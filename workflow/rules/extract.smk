"""Frames and sound.

INPUTS: results/media.
OUTPUTS: results/extract: tars of frames (one every media.interval_s) and of 16 kHz mono wavs, with their indices.
"""


rule extract_media:
    """Decode the clips of a shard once."""
    input:
        W.source.media_inputs,
        index="results/media/{shard}.parquet",
    output:
        frames="results/extract/{shard}.frames.tar",
        frames_index="results/extract/{shard}.frames.parquet",
        wav="results/extract/{shard}.wav.tar",
        wav_index="results/extract/{shard}.wav.parquet",
        status="results/extract/{shard}.status.parquet",
        provenance="results/extract/{shard}.json",
    log:
        "results/logs/extract_media/{shard}.log",
    benchmark:
        "results/benchmarks/extract_media/{shard}.tsv"
    conda:
        W.env("media")
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
