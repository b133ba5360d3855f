"""Measures what stays resident when a Python program's load falls; `scripts/bench-retention` is the command."""
