"""Methods: from evidence to the probability that a label is wrong. One module each, one function ``judge``."""
