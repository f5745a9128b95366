"""Numba kernels, one phenomenon a file."""
