"""OKX API v5, spot and USDT linear swaps: REST, public and private WebSocket.

https://www.okx.com/docs-v5/en/ names every endpoint, field and code used here.
"""
