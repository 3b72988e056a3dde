"""Everything that is not pure and serves all desks: the loop, its store, the clock, settings, the worker."""
