"""The four exchanges on loopback: their wire protocols over `sim.exchange`, with faults on demand.

`clock`, `keys`, `house`, `feed`, `faults`, `limits`, `record` know no wire protocol; `binance`,
`okx`, `bybit` and `coinbase` speak one each; `server` listens; `emulator` puts it all together.
"""
