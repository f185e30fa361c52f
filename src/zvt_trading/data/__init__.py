"""Market data for research: history downloaded to files, and live streams.

The front door of history is `crypto_data_loader.CryptoDataLoader`. Nothing here loads ccxt or
pyarrow before it is used.
"""
