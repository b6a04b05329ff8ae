"""Joint models: both encoders and a fusion as one network, from the signals of an utterance to its embedding."""
