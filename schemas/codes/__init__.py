"""Code tables and check digits. Each table is reference data with its date and its source."""
