"""Times real Python programs under several memory managers; `scripts/bench-python` is the command."""
