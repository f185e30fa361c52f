"""The deterministic core: state, decisions, events. No I/O, no clock, no randomness."""
