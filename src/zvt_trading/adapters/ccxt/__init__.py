"""The four exchanges through ccxt: signing, throttling and connections are ccxt's, the rest ours.

`dialect` says what an exchange module (`binance`, `okx`, `bybit`, `coinbase`) supplies; `client`
makes the ccxt object; `outcomes` says what an exception means; `translate` makes reports of views;
`stream` keeps the WebSockets; `gateway` is the venue port over all of them.
"""
