"""The command line, `zvt-trading`."""
