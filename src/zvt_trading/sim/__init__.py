"""Simulated exchanges: pure state machines, deterministic by seed."""
