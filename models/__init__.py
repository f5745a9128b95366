"""The vocabulary of Ampelwerk: frozen data, no I/O, standard library only."""
