"""The same work beside its peers, in one run: `python -m benchmarks [NAME ...]`, or `make bench`."""
