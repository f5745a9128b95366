"""The command line: one module per command; wires rooms, decides nothing."""
