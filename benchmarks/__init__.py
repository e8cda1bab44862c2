"""What grading costs, measured: ``python -m benchmarks`` writes docs/benchmarks.md."""
