"""How are the code tables made that are copied from a public source? One module a table; `make hs`."""
