"""One real rise, estimated as the app would, as a picture: Snorre W, 28 April 2021.

``rise`` reads the files, ``summary`` puts the answer into words, ``picture``, ``curves`` and ``posterior`` draw it.
"""
