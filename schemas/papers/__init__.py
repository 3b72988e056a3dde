"""What must be right in a declaration? The declaration desk decides by these checks, and the console shows their
findings together with the faults of shape. A fault of shape is, for example, a text in place of a number, or a missing
field (`schemas.papers.sound`)."""
