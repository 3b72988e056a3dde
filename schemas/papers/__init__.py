"""What must be right in a declaration? The declaration desk decides by these checks, and the console shows their findings beside
faults of shape."""
