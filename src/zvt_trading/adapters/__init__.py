"""Where the engine meets the world: files, stores, venues."""
