"""How are the code tables made that are copied from a public source? Each table has one module; `make
hs` runs it."""
