"""What must be right in a paper, whoever asks: the declaration desk decides by it, and the door tells it beside faults of shape."""
