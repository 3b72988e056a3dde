"""How many consignments a second, how long from lodgement to release, at what cost? Measured on this machine, end to end."""
