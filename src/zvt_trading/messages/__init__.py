"""The vocabulary: immutable messages that cross every boundary of the engine.

`gc=False` on most of them: their fields are numbers, text and other messages, so they can be in no
cycle, and the collector need not look at them.
"""
