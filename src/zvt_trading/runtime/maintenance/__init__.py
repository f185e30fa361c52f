"""What is done to a store besides trading on it: proving it, making its tables anew, moving it.

Everything goes through ports/store.py, so it is the same for every database.
"""
