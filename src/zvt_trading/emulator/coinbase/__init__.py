"""Coinbase Advanced Trade (spot) as an emulated exchange: REST, WebSocket, JWTs."""
