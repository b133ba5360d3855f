"""Object systems side by side: `scripts/bench-objects`."""
