"""The service `clearance`: it measures how long each consignment takes, and decides nothing."""
