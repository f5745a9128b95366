"""The report: one self-contained HTML page over the results of `simulate` or `compare`."""
