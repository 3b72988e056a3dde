"""How many consignments are handled in a second, how long does each take from lodgement to release, and at what cost? This
is measured on this machine, end to end."""
