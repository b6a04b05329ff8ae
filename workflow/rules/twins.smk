"""Damaged twins of training utterances: which there are, once for all fusion models that learn from them.

INPUTS: results/lists/train_all.txt, results/plan.
OUTPUTS: results/twins/twins.parquet.
"""


rule make_twins:
    """Say which training utterances are damaged under each condition, and how, once for all models."""
    input:
        list=P.lists.all,
        plan=P.plan.utterances,
    output:
        P.twins.table,
    log:
        P.log("make_twins"),
    benchmark:
        P.benchmark("make_twins")
    conda:
        W.env("core")
    params:
        *W.code("make_twins"),
        twins=flags(W.twins.settings),
    message:
        "Choosing the training utterances that have damaged twins"
    shell:
        "python $AVSIEVE_SCRIPTS/make_twins.py --list {input.list} --plan {input.plan} {params.twins}"
        " --out {output} > {log} 2>&1"
