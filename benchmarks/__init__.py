"""Benchmarks: each prints its figures and one last line of JSON."""
