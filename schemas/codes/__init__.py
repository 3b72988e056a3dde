"""Code tables and check digits: dated reference data, each with its source."""
