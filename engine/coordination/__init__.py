"""Timing plans: cycle time, green splits, offsets, green bands."""
