"""Targets named after the stages: `snakemake --cores N score` goes as far as the scores.

Forcing a stage (`--forcerun score`) forces the rules that it stands for, and with them what follows.
"""


rule fetch:
    """As far as the clips."""
    input:
        forcing("fetch", "fetch_media"),
        W.source.need_media("fetch", expand(P.media.index, shard=W.shards)),
    localrule: True


rule extract:
    """As far as frames and wavs."""
    input:
        forcing("extract", "extract_media", "extract_faces"),
        W.source.need_media("extract", expand(P.extract.wav, shard=W.shards)),
    localrule: True


rule align:
    """As far as aligned faces."""
    input:
        forcing("align", "align_faces", "extract_faces"),
        W.source.need_media("align", expand(P.align.faces, shard=W.shards)),
    localrule: True


rule embed:
    """As far as embeddings."""
    input:
        forcing("embed", "embed_audio", "embed_visual", "split_embeddings"),
        expand(P.embed.embeddings, modality=["audio", "visual"], shard=W.shards),
    localrule: True


rule score:
    """As far as the evidence."""
    input:
        forcing("score", "pool_speakers", "score_utterances", "merge_scores"),
        P.scores.scores,
    localrule: True


rule clean:
    """As far as the lists."""
    input:
        forcing("clean", "list_utterances", "clean_list"),
        P.lists.clean,
    localrule: True


rule train:
    """As far as the fusion models."""
    input:
        forcing("train", "train_fusion"),
        W.fusion.models,
    localrule: True


rule train_encoders:
    """Encoders of our own on the full and on the cleansed list; `all` does not need them."""
    input:
        forcing("train_encoders", "train_audio", "train_visual"),
        W.source.need_media(
            "train_encoders",
            expand(
                P.models.encoder,
                modality=["audio", "visual"],
                list=["all", "clean"],
            ),
        ),
    localrule: True


rule train_audio_encoders:
    """Of these, the encoders of voices."""
    input:
        forcing("train_audio_encoders", "train_audio"),
        W.source.need_media(
            "train_audio_encoders",
            expand(P.of(P.models.encoder, modality="audio"), list=["all", "clean"]),
        ),
    localrule: True


rule train_visual_encoders:
    """Of these, the encoders of faces."""
    input:
        forcing("train_visual_encoders", "train_visual"),
        W.source.need_media(
            "train_visual_encoders",
            expand(P.of(P.models.encoder, modality="visual"), list=["all", "clean"]),
        ),
    localrule: True


rule evaluate:
    """As far as the error rates."""
    input:
        forcing(
            "evaluate",
            "make_trials",
            "make_trusted_trials",
            "list_cohort",
            "make_damage",
            "evaluate_fusion",
        ),
        P.evaluation.results,
    localrule: True


rule report:
    """As far as the report."""
    input:
        forcing("report", "write_report"),
        P.report.page,
    localrule: True


rule remove_old_shards:
    """Remove the files of shards that the configuration no longer has; nothing reads them."""
    log:
        P.log("remove_old_shards"),
    localrule: True
    conda:
        W.env("core")
    params:
        results=W.at.results,
        shards=W.config.shards,
    shell:
        "python $AVSIEVE_SCRIPTS/remove_old_shards.py --results {params.results} --shards {params.shards}"
        " 2>&1 | tee {log}"
