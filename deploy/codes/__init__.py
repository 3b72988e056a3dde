"""How are the code tables made that are copied from a public source? Each of these tables has a
module here; `make hs` runs the module of the HS."""
