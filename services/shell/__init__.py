"""The code around the deciders that serves all desks and is not pure: the loop, its store, the clock, the
settings, and the worker."""
