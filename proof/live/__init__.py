"""Live trading proven: the real adapter against emulated exchanges in a process of their own."""
