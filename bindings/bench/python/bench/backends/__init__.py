"""The client libraries, a module for each; ``connect`` gives a ``bench.session.Session``.

A module imports its client library before anything of the benchmark, so that the time of the import
is all its own.
"""
