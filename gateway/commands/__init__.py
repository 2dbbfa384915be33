"""One module for each verb of the `footlight` command, so that a process imports only what it runs.

Each has `run(arguments, settings) -> status`.
"""
