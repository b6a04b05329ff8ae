"""What a run made, in other people's layouts: folders, WebDataset, Parquet for `datasets`."""
