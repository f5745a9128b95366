"""Signal control strategies, one file each, one interface."""
