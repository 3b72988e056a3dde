"""The release desk: the all-clear join over every hold."""
