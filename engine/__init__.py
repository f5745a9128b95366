"""Numbers in, decisions out: estimation and strategies; knows no simulator, no socket, no clock."""
