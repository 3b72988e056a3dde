"""The commands of an operator: start everything, lodge declarations, trace goods, look into parked messages, simulate,
and measure."""
