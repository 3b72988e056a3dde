"""What is impure and not one desk's business: the loop, its store, the clock, settings, the worker."""
