"""SUMO plays the street."""
