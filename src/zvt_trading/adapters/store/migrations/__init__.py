"""Migrations of the schema, forward only; applied by `zvt-trading db upgrade` (opening.py)."""
