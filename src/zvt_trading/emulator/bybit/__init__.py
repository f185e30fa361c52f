"""Bybit's API v5 (unified account): spot and USDT perpetuals over REST and WebSocket.

The rules, names and codes are those of https://bybit-exchange.github.io/docs/v5/intro; `errors`
says what is refused and how, `symbols` how symbols are called, `shapes` how orders, fills, balances
and positions look, `trading` takes orders, `market` and `account` answer questions, `history` keeps
what is asked for later, `books` and `stream` push, `wire` puts it together.
"""
