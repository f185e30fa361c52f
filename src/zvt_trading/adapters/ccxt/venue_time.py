"""What time it is at an exchange."""

from typing import Any


async def venue_time_ms(exchange: Any) -> int:
    """Milliseconds UTC as the exchange says; what goes wrong is ccxt's exception.

    ccxt reads whole seconds of Coinbase's answer, which would be up to a second wrong.
    """
    if exchange.id == "coinbase":
        answer = await exchange.v3PublicGetBrokerageTime()
        return int(answer["epochMillis"])
    return int(await exchange.fetch_time())
