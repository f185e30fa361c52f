"""exchangeInfo: what is listed, with its filters."""

from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.binance.numbers import (
    EIGHT,
    decimals_of,
    fixed,
    native,
    price_text,
    quantity_text,
)

SPOT_LIMITS: Final = (("weight", 6_000, 60_000), ("orders", 100, 10_000))
"""Budgets as (name, limit, window in ms), those of exchangeInfo."""
LINEAR_LIMITS: Final = (("weight_linear", 2_400, 60_000), ("orders_linear", 300, 10_000))

_SPOT_RATES: Final = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6_000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000},
    {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
]
_LINEAR_RATES: Final = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2_400},
    {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1_200},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
]
_PRICE_MAX: Final = 10**6

Shape = dict[str, Any]


def spot_info(instruments: list[Instrument], now_ms: int) -> Shape:
    """Of the spot market."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": _SPOT_RATES,
        "exchangeFilters": [],
        "symbols": [_spot_symbol(instrument) for instrument in instruments],
        "sors": [],
    }


def linear_info(instruments: list[Instrument], now_ms: int) -> Shape:
    """Of USD-M futures."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": _LINEAR_RATES,
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_linear_symbol(instrument) for instrument in instruments],
    }


def _bounds(instrument: Instrument) -> tuple[str, str]:
    """Lowest and highest price."""
    highest = instrument.price_max or _PRICE_MAX * int(10**instrument.price_scale)
    lowest = instrument.price_min or instrument.tick
    return price_text(instrument, lowest), price_text(instrument, highest)


def _sizes(instrument: Instrument) -> Shape:
    return {
        "minQty": quantity_text(instrument, instrument.quantity_min),
        "maxQty": quantity_text(instrument, instrument.quantity_max),
        "stepSize": quantity_text(instrument, instrument.lot),
    }


def _spot_symbol(instrument: Instrument) -> Shape:
    lowest, highest = _bounds(instrument)
    notional = fixed(instrument.notional_min, instrument.settle_scale, EIGHT)
    return {
        "symbol": native(instrument.symbol),
        "status": "TRADING",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": lowest,
                "maxPrice": highest,
                "tickSize": price_text(instrument, instrument.tick),
            },
            {"filterType": "LOT_SIZE", **_sizes(instrument)},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": "0.00000000",
                "maxQty": quantity_text(instrument, instrument.quantity_max),
                "stepSize": "0.00000000",
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": notional,
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _linear_symbol(instrument: Instrument) -> Shape:
    lowest, highest = _bounds(instrument)
    notional = format_scaled(instrument.notional_min, instrument.settle_scale)
    price_decimals = decimals_of(instrument.tick, instrument.price_scale)
    quantity_decimals = decimals_of(instrument.lot, instrument.quantity_scale)
    return {
        "symbol": native(instrument.symbol),
        "pair": native(instrument.symbol),
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.settle,
        "pricePrecision": price_decimals,
        "quantityPrecision": quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": lowest,
                "maxPrice": highest,
                "tickSize": price_text(instrument, instrument.tick),
            },
            {"filterType": "LOT_SIZE", **_sizes(instrument)},
            {"filterType": "MARKET_LOT_SIZE", **_sizes(instrument)},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": notional.rstrip("0").rstrip(".")},
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }
