"""What people decide about utterances: a log per reviewer, the table that it is folded into, and its reading."""
