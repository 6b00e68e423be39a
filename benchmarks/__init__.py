"""What was measured for speed: `python -m benchmarks`."""
