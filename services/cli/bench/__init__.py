"""How many consignments are handled in a second, how long does each take from lodgement to release, and at what cost? All
of this is measured on this machine, from end to end."""
