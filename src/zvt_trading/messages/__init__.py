"""The vocabulary: immutable messages that cross every boundary of the engine."""
