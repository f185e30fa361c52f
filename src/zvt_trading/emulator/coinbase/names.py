"""How Coinbase writes things: products, ids, times, plain decimals."""

import datetime as dt
from typing import Final
from uuid import NAMESPACE_DNS, uuid5

NS_A_SECOND: Final = 1_000_000_000
PORTFOLIO: Final = "portfolio"
USER: Final = "user"


def product_of(symbol: str) -> str:
    """The product of a symbol: BTC-USDT of BTC/USDT."""
    return symbol.replace("/", "-")


def symbol_of(product_id: str) -> str:
    """The symbol of a product: BTC/USDT of BTC-USDT."""
    return product_id.replace("-", "/")


def order_uuid(house_id: str) -> str:
    """The id that Coinbase would give: a UUID that ends with the house's number in hex."""
    return f"0c0ba5e0-0000-4000-8000-{int(house_id):012x}"


def house_id_of(uuid: str) -> str:
    """The house's id of an order; "" for what is no id of ours."""
    head, _, tail = uuid.rpartition("-")
    is_ours = head == "0c0ba5e0-0000-4000-8000" and len(tail) == 12
    return str(int(tail, 16)) if is_ours and not tail.strip("0123456789abcdef") else ""


def owned_uuid(account: str, thing: str) -> str:
    """A UUID of something that an account has (a wallet, its portfolio), always the same."""
    return str(uuid5(NAMESPACE_DNS, f"{thing}.{account}.coinbase"))


def iso(ts: int) -> str:
    """Nanoseconds UTC as Coinbase writes times: microseconds and a Z."""
    seconds, rest = divmod(ts, NS_A_SECOND)
    text = dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest // 1000:06d}Z"


def ns_of(text: str) -> int:
    """RFC 3339, or seconds of the epoch, as nanoseconds UTC; ValueError for anything else."""
    if text.isdecimal():
        return int(text) * NS_A_SECOND
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if not (text.endswith("Z") and (fraction.isdecimal() or not fraction)):
        raise ValueError(f"{text!r} is no time like 2024-01-15T10:30:00.123Z")
    moment = dt.datetime.fromisoformat(whole).replace(tzinfo=dt.UTC)
    return int(moment.timestamp()) * NS_A_SECOND + int(fraction[:9].ljust(9, "0"))


def plain(text: str) -> str:
    """A decimal without the zeros at its end, as Coinbase shows sizes: "0.050000" is "0.05"."""
    return text.rstrip("0").rstrip(".") if "." in text else text
