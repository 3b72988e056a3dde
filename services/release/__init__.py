"""The release desk: goods are released when no hold is left."""
