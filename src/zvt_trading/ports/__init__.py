"""Protocols only: what the runtime needs from the outside."""
