"""A run in other layouts: AVCleanse's folders, WebDataset, Parquet for the package `datasets`.

INPUTS: results/lists, results/align (faces), results/extract (wavs; frames, if they are wanted).
OUTPUTS: results/export (counts); the files themselves lie in the folder `export.out`.
"""


rule export_tree:
    """Write folders of faces and sound, with the lists about them."""
    input:
        brought(W.export_files),
        W.export_shards(),
        plan=P.plan.utterances,
        clean=P.lists.flagged,
        decisions=P.lists.decisions,
    output:
        P.of(P.export.summary, form="tree"),
    log:
        P.log("export_tree"),
    benchmark:
        P.benchmark("export_tree")
    conda:
        W.env("core")
    threads: 4
    params:
        *W.code("export_tree"),
        export=W.export_flags("tree"),
        lists=W.watch.files("lists", W.export_files),
    message:
        "Writing folders"
    shell:
        "python $AVSIEVE_SCRIPTS/export_tree.py {params.export} --threads {threads} --summary {output}"
        " > {log} 2>&1"


rule export_webdataset:
    """Write tars in WebDataset's form."""
    input:
        brought(W.export_files),
        W.export_shards(),
        plan=P.plan.utterances,
        clean=P.lists.flagged,
        decisions=P.lists.decisions,
    output:
        P.of(P.export.summary, form="webdataset"),
    log:
        P.log("export_webdataset"),
    benchmark:
        P.benchmark("export_webdataset")
    conda:
        W.env("core")
    params:
        *W.code("export_webdataset"),
        export=W.export_flags("webdataset"),
        lists=W.watch.files("lists", W.export_files),
    message:
        "Writing WebDataset"
    shell:
        "python $AVSIEVE_SCRIPTS/export_webdataset.py {params.export} --summary {output}"
        " > {log} 2>&1"


rule export_parquet:
    """Write Parquet that `datasets` reads."""
    input:
        brought(W.export_files),
        W.export_shards(),
        plan=P.plan.utterances,
        clean=P.lists.flagged,
        decisions=P.lists.decisions,
    output:
        P.of(P.export.summary, form="parquet"),
    log:
        P.log("export_parquet"),
    benchmark:
        P.benchmark("export_parquet")
    conda:
        W.env("core")
    params:
        *W.code("export_parquet"),
        export=W.export_flags("parquet"),
        lists=W.watch.files("lists", W.export_files),
    message:
        "Writing Parquet"
    shell:
        "python $AVSIEVE_SCRIPTS/export_parquet.py {params.export} --summary {output}"
        " > {log} 2>&1"
