"""Voices and faces damaged on purpose, and embedded again: what the evaluation of damaged trials asks for.

INPUTS: results/evaluation/damage.parquet, results/extract (wavs), results/align (faces).
OUTPUTS: results/damage (tars, removed once embedded), results/damage_audio, results/damage_visual.
"""


rule damage_shard:
    """Damage the voices and faces of a shard."""
    input:
        damage=P.evaluation.damage,
        wav=P.extract.wav,
        wav_index=P.extract.wav_index,
        extracted=P.extract.status,
        faces=W.crops.embedded,
        faces_index=W.crops.embedded_index,
        detections=P.align.detections,
        aligned=P.align.status,
    output:
        wav=temp(P.damage.wav),
        wav_index=temp(P.damage.wav_index),
        extracted=P.damage.extracted,
        faces=temp(P.damage.faces),
        faces_index=temp(P.damage.faces_index),
        detections=temp(P.damage.detections),
        aligned=P.damage.aligned,
        provenance=P.damage.signals_provenance,
    log:
        P.log("damage_shard", "{shard}"),
    benchmark:
        P.benchmark("damage_shard", "{shard}")
    conda:
        W.env("torch")
    resources:
        **W.needs("damage_shard"),
    params:
        *W.code("damage_shard"),
        folders=flags(W.damage.folders),
        recordings=W.damage.recordings,
    message:
        "Damaging voices and faces of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/damage_shard.py --damage {input.damage} --wav {input.wav} --extracted {input.extracted}"
        " --faces {input.faces} --detections {input.detections} --aligned {input.aligned} {params.folders}"
        " --out-wav {output.wav} --out-extracted {output.extracted} --out-faces {output.faces}"
        " --out-detections {output.detections} --out-aligned {output.aligned} --provenance {output.provenance}"
        " > {log} 2>&1"


# A damaged voice that no embedding can be made of is a result, and no fault of the run: any share of them may fail.
use rule embed_audio as embed_damaged_audio with:
    input:
        brought(W.audio_file),
        wav=P.damage.wav,
        wav_index=P.damage.wav_index,
        extracted=P.damage.extracted,
    output:
        embeddings=P.of(P.damage.embeddings, modality="audio"),
        segments=P.damage.segments,
        status=P.of(P.damage.status, modality="audio"),
        provenance=P.of(P.damage.provenance, modality="audio"),
    log:
        P.log("embed_damaged_audio", "{shard}"),
    benchmark:
        P.benchmark("embed_damaged_audio", "{shard}")
    params:
        max_failed=1,
    message:
        "Embedding the damaged voices of shard {wildcards.shard}"


use rule embed_visual as embed_damaged_visual with:
    input:
        brought(W.visual_file),
        faces=P.damage.faces,
        faces_index=P.damage.faces_index,
        detections=P.damage.detections,
        aligned=P.damage.aligned,
    output:
        embeddings=P.of(P.damage.embeddings, modality="visual"),
        frames=P.damage.frames,
        status=P.of(P.damage.status, modality="visual"),
        provenance=P.of(P.damage.provenance, modality="visual"),
    log:
        P.log("embed_damaged_visual", "{shard}"),
    benchmark:
        P.benchmark("embed_damaged_visual", "{shard}")
    params:
        max_failed=1,
    message:
        "Embedding the damaged faces of shard {wildcards.shard}"
