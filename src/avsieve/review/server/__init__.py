"""The server of ``avsieve review RESULTS``: a run's utterances, faces and voices for a page on this machine alone."""
