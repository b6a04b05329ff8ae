"""Every fusion model in one table: `snakemake fusion_table`.

INPUTS: results/evaluation, results/models/fusion.
OUTPUTS: results/evaluation/fusion_table.csv and .md.
"""


rule write_fusion_table:
    """Write the table of all fusion models."""
    input:
        results=P.evaluation.results,
        against=P.evaluation.against,
        times=P.evaluation.times,
        training=W.fusion.provenance,
    output:
        table=P.evaluation.table,
        text=report(
            P.evaluation.text,
            caption="../report/fusion_table.rst",
            category="Report",
        ),
    log:
        P.log("write_fusion_table"),
    benchmark:
        P.benchmark("write_fusion_table")
    conda:
        W.env("report")
    params:
        *W.code("write_fusion_table", *W.fusion.modules),
        training=flags(W.fusion.provenance_flags),
    message:
        "Writing the table of all fusion models"
    shell:
        "python $AVSIEVE_SCRIPTS/write_fusion_table.py --results {input.results} --against {input.against}"
        " --times {input.times} {params.training} --table {output.table} --text {output.text} > {log} 2>&1"


rule fusion_table:
    """Every configured fusion model in one table, on every list of trials and condition."""
    input:
        forcing("fusion_table", "write_fusion_table"),
        P.evaluation.table,
    localrule: True
