"""Lists of utterances: the training list, the layouts that users bring, the corpora that they are of."""
