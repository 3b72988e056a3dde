"""The command line: start everything, lodge, trace, look into parking, simulate, measure."""
