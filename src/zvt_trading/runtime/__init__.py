"""Drives the core: the world's clock, strategies, public views of the state."""
