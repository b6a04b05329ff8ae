"""What the rules ask for. Runs inside Snakemake, which needs nothing heavier than pydantic for it."""
