"""Stores: one file (SQLite) or a server (PostgreSQL), with one schema; see opening.py."""
