"""Proofs that run outside the test suite: what the engine survives, shown on whole programs."""
