"""The service `clearance`: it measures every consignment and decides nothing."""
