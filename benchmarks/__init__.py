"""Speed goals as workloads; `python -m benchmarks W1 W3` or `python -m benchmarks all`."""
