"""What Coinbase shows of products and their market: exact keys, numbers as texts."""

from typing import Any

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.coinbase.names import iso, plain, product_of
from zvt_trading.emulator.feed import SymbolFeed
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import TradeTick

Shape = dict[str, Any]


def side_name(side: int) -> str:
    """BUY or SELL."""
    return "BUY" if side == BUY else "SELL"


def product(feed: SymbolFeed) -> Shape:
    """One product; what no client of ours reads is as in a recorded answer."""
    instrument = feed.instrument
    base, quote = instrument.base, instrument.quote
    product_id = product_of(instrument.symbol)
    bid, ask = best_texts(feed)
    return {
        "product_id": product_id,
        "price": last_price(feed),
        "price_percentage_change_24h": "0",
        "volume_24h": _volume(feed),
        "volume_percentage_change_24h": "0",
        "base_increment": _step(instrument.lot, instrument.quantity_scale),
        "quote_increment": _step(instrument.tick, instrument.price_scale),
        "quote_min_size": _step(instrument.notional_min, instrument.settle_scale),
        "quote_max_size": "150000000",
        "base_min_size": _step(instrument.quantity_min, instrument.quantity_scale),
        "base_max_size": _step(instrument.quantity_max, instrument.quantity_scale),
        "base_name": base,
        "quote_name": quote,
        "watched": False,
        "is_disabled": False,
        "new": False,
        "status": "online",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": False,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": quote,
        "base_currency_id": base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": base,
        "quote_display_symbol": quote,
        "view_only": False,
        "price_increment": _step(instrument.tick, instrument.price_scale),
        "display_name": product_id,
        "product_venue": "CBE",
        "approximate_quote_24h_volume": "0",
        "new_at": "2023-01-01T00:00:00Z",
        "market_cap": "",
        "base_cbrn": "",
        "quote_cbrn": "",
        "product_cbrn": "",
        "icon_color": "",
        "icon_url": "",
        "display_name_overwrite": "",
        "is_alpha_testing": False,
        "about_description": "",
        "best_bid_price": bid,
        "best_ask_price": ask,
    }


def _step(value: int, scale: int) -> str:
    return plain(format_scaled(value, scale))


def price_text(instrument: Instrument, price: int) -> str:
    """A price with all its decimals."""
    return format_scaled(price, instrument.price_scale)


def size_text(instrument: Instrument, size: int) -> str:
    """A size with all its decimals."""
    return format_scaled(size, instrument.quantity_scale)


def best_texts(feed: SymbolFeed) -> tuple[str, str]:
    """Best bid and ask, "" where there is none."""
    texts = [
        price_text(feed.instrument, level[0])
        for side in (BUY, SELL)
        for level in feed.levels(side, 1) or [(0, 0)]
    ]
    return texts[0], texts[1]


def last_price(feed: SymbolFeed) -> str:
    """Of the last trade, or the best bid before the first one."""
    return (
        price_text(feed.instrument, feed.trades[-1].price) if feed.trades else best_texts(feed)[0]
    )


def _volume(feed: SymbolFeed) -> str:
    return size_text(feed.instrument, sum(trade.size for trade in feed.trades))


def price_book(feed: SymbolFeed, count: int, ts: int) -> Shape:
    """The book, best first."""
    return {
        "product_id": product_of(feed.instrument.symbol),
        "bids": _levels(feed, BUY, count),
        "asks": _levels(feed, SELL, count),
        "time": iso(ts),
    }


def _levels(feed: SymbolFeed, side: int, count: int) -> list[Shape]:
    return [
        {
            "price": price_text(feed.instrument, price),
            "size": plain(size_text(feed.instrument, size)),
        }
        for price, size in feed.levels(side, count)
    ]


def public_trade(instrument: Instrument, trade: TradeTick) -> Shape:
    """One trade as the stream shows it; `side` is the side of the maker."""
    return {
        "trade_id": str(trade.trade_id),
        "product_id": product_of(instrument.symbol),
        "price": price_text(instrument, trade.price),
        "size": plain(size_text(instrument, trade.size)),
        "side": side_name(-trade.aggressor),
        "time": iso(trade.ts),
    }
