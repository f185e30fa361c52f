"""Binance as it speaks: spot (/api/v3, /sapi) and USD-M futures (/fapi), their streams and ws-api.

One account of the house backs both wallets: the futures wallet shows what positions and orders of
perpetuals hold, the spot wallet all the rest, so that the two add up to what is there.
Rules and texts: https://developers.binance.com/docs/binance-spot-api-docs and
https://developers.binance.com/docs/derivatives/usds-margined-futures
"""
