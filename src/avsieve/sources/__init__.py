"""Sources: where utterances come from.

A source is a subclass of `avsieve.sources.contract.SourceContract` with a line in `avsieve.sources.registry`. It holds
the source's block of the configuration and what rules and doctor ask about it, and names the source's parts: ``plan``
says which utterances there are, ``fetch`` brings the clips of one shard, ``check`` looks at it all before a run.
"""
