"""Voices and faces of damaged twins, embedded again.

INPUTS: results/twins/twins.parquet, results/extract (wavs), results/align (faces).
OUTPUTS: results/twins (tars, removed once embedded), results/twins_audio, results/twins_visual.
"""


use rule damage_shard as damage_twins with:
    input:
        damage=P.twins.table,
        wav=P.extract.wav,
        wav_index=P.extract.wav_index,
        extracted=P.extract.status,
        faces=W.crops.embedded,
        faces_index=W.crops.embedded_index,
        detections=P.align.detections,
        aligned=P.align.status,
    output:
        wav=temp(P.twins.wav),
        wav_index=temp(P.twins.wav_index),
        extracted=P.twins.extracted,
        faces=temp(P.twins.faces),
        faces_index=temp(P.twins.faces_index),
        detections=temp(P.twins.detections),
        aligned=P.twins.aligned,
        provenance=P.twins.signals_provenance,
    log:
        P.log("damage_twins", "{shard}"),
    benchmark:
        P.benchmark("damage_twins", "{shard}")
    params:
        folders=flags(W.twins.folders),
        recordings=W.twins.recordings,
    message:
        "Damaging twins of training utterances of shard {wildcards.shard}"


use rule embed_audio as embed_twin_audio with:
    input:
        brought(W.audio_file),
        wav=P.twins.wav,
        wav_index=P.twins.wav_index,
        extracted=P.twins.extracted,
    output:
        embeddings=P.of(P.twins.embeddings, modality="audio"),
        segments=P.twins.segments,
        status=P.of(P.twins.status, modality="audio"),
        provenance=P.of(P.twins.provenance, modality="audio"),
    log:
        P.log("embed_twin_audio", "{shard}"),
    benchmark:
        P.benchmark("embed_twin_audio", "{shard}")
    params:
        max_failed=1,
    message:
        "Embedding the voices of damaged twins of shard {wildcards.shard}"


use rule embed_visual as embed_twin_visual with:
    input:
        brought(W.visual_file),
        faces=P.twins.faces,
        faces_index=P.twins.faces_index,
        detections=P.twins.detections,
        aligned=P.twins.aligned,
    output:
        embeddings=P.of(P.twins.embeddings, modality="visual"),
        frames=P.twins.frames,
        status=P.of(P.twins.status, modality="visual"),
        provenance=P.of(P.twins.provenance, modality="visual"),
    log:
        P.log("embed_twin_visual", "{shard}"),
    benchmark:
        P.benchmark("embed_twin_visual", "{shard}")
    params:
        max_failed=1,
    message:
        "Embedding the faces of damaged twins of shard {wildcards.shard}"
