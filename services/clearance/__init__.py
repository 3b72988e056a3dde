"""Clearance time: knows every consignment, decides nothing."""
