"""Sources: where utterances come from.

A source is a package of two modules. ``plan`` says which utterances there are: ``add_options(parser)`` and
``plan(args)``, which returns ``utterance``, ``subset``, ``path`` and ``seconds`` in the order of the training list.
``fetch`` brings the clips of one shard: ``add_options(parser)`` and ``fetch(rows, args)``, which returns the media
index and the status. The scripts ``plan_shards`` and ``fetch_media`` load them by the source's name.
"""
