"""The USD-M account: wallet, positions, leverage, income (/fapi)."""

from typing import Any, Final

from msgspec import Raw

from zvt_trading.core.units import div_half_even, format_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.binance.asked import SIGNED, TRADE, Asked, Endpoint
from zvt_trading.emulator.binance.desk import Desk
from zvt_trading.emulator.binance.errors import error
from zvt_trading.emulator.binance.numbers import (
    EIGHT,
    fixed,
    money,
    ms,
    native,
    price_text,
    quantity_text,
)
from zvt_trading.emulator.binance.shapes import Shape, entry_price
from zvt_trading.emulator.binance.wallets import FuturesWallet, futures_wallet, open_seats
from zvt_trading.emulator.wire import Json
from zvt_trading.messages.codes import CROSS, ISOLATED
from zvt_trading.sim.accounts import Seat

_ONLY_V3: Final = (
    "marginAsset", "initialMargin", "maintMargin", "positionInitialMargin",
    "openOrderInitialMargin", "adl", "bidNotional", "askNotional",
)  # fmt: skip
_MODES: Final = {"CROSSED": CROSS, "ISOLATED": ISOLATED}


class Positions:
    """Answers of one house."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk
        self._house: Final = desk.house

    def endpoints(self) -> list[Endpoint]:
        """All of them."""
        return [
            Endpoint("GET", "/fapi/v2/account", self.account, SIGNED,
                     kind=faults.BALANCE, weight=5),
            Endpoint("GET", "/fapi/v3/account", self.account, SIGNED,
                     kind=faults.BALANCE, weight=5),
            Endpoint("GET", "/fapi/v2/balance", self.balance, SIGNED,
                     kind=faults.BALANCE, weight=5),
            Endpoint("GET", "/fapi/v3/balance", self.balance, SIGNED,
                     kind=faults.BALANCE, weight=5),
            Endpoint("GET", "/fapi/v2/positionRisk", self.position_risk_v2, SIGNED, "symbol",
                     kind=faults.POSITIONS, weight=5),
            Endpoint("GET", "/fapi/v3/positionRisk", self.position_risk, SIGNED, "symbol",
                     kind=faults.POSITIONS, weight=5),
            Endpoint("POST", "/fapi/v1/leverage", self.set_leverage, TRADE, "symbol leverage"),
            Endpoint("POST", "/fapi/v1/marginType", self.set_mode, TRADE, "symbol marginType"),
            Endpoint("GET", "/fapi/v1/leverageBracket", self.brackets, SIGNED, "symbol"),
            Endpoint("GET", "/fapi/v1/income", self.income, SIGNED,
                     "symbol incomeType startTime endTime page limit", weight=30),
            Endpoint("GET", "/fapi/v1/commissionRate", self.commission, SIGNED, "symbol",
                     weight=20),
            Endpoint("GET", "/fapi/v1/accountConfig", self.config, SIGNED, weight=5),
            Endpoint("GET", "/fapi/v1/symbolConfig", self.symbol_config, SIGNED, "symbol",
                     weight=5),
            Endpoint("GET", "/fapi/v1/positionSide/dual", self.is_hedged, SIGNED, weight=30),
            Endpoint("GET", "/fapi/v1/multiAssetsMargin", self.is_multi, SIGNED, weight=30),
        ]  # fmt: skip

    def account(self, asked: Asked) -> Json:
        """Wallet and positions."""
        key = asked.key
        wallets = futures_wallet(self._house, asked.account)
        all_of = wallets[0] if len(wallets) == 1 else None
        totals = _sums(all_of) if all_of is not None else {}
        return {
            "feeTier": 0,
            "canTrade": key is not None and key.can_trade,
            "canDeposit": True,
            "canWithdraw": key is not None and key.can_withdraw,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
            **totals,
            "assets": [
                {**_asset(wallet), "marginAvailable": True, "updateTime": self._now()}
                for wallet in wallets
            ],
            "positions": [
                self._account_position(seat) for seat in open_seats(self._house, asked.account)
            ],
        }

    def balance(self, asked: Asked) -> Json:
        """The wallet by asset."""
        return [
            {
                "accountAlias": "SgsR",
                "asset": wallet.asset,
                "balance": money(wallet.total),
                "crossWalletBalance": money(wallet.total),
                "crossUnPnl": money(wallet.unrealized),
                "availableBalance": money(wallet.free),
                "maxWithdrawAmount": money(wallet.free),
                "marginAvailable": True,
                "updateTime": self._now(),
            }
            for wallet in futures_wallet(self._house, asked.account)
        ]

    def position_risk(self, asked: Asked) -> Json:
        """Positions that are not flat."""
        wanted = self._desk.instruments_of(asked)
        return [
            _risk(seat)
            for seat in open_seats(self._house, asked.account)
            if seat.instrument in wanted
        ]

    def position_risk_v2(self, asked: Asked) -> Json:
        """Of every symbol, flat or not, with other fields."""
        shapes: list[Json] = []
        for instrument in self._desk.instruments_of(asked):
            seat = self._seat(asked.account, instrument.symbol)
            risk = _risk(seat)
            for name in _ONLY_V3:
                del risk[name]
            risk["leverage"] = str(seat.leverage)
            risk["maxNotionalValue"] = "1000000"
            risk["marginType"] = "cross" if seat.margin_mode == CROSS else "isolated"
            risk["isAutoAddMargin"] = "false"
            shapes.append(risk)
        return shapes

    def set_leverage(self, asked: Asked) -> Json:
        """Only while flat and without orders, as the house has it."""
        instrument = self._desk.instrument(asked)
        leverage = asked.number("leverage", 0)
        if not 1 <= leverage <= instrument.leverage_max:
            raise error(-4028, f"Leverage {leverage} is not valid")
        seat = self._seat(asked.account, instrument.symbol)
        exchange = self._house.exchange
        if leverage != seat.leverage and not exchange.set_leverage(
            asked.account, instrument.id, leverage, seat.margin_mode
        ):
            raise error(-4161, "Leverage reduction is not supported with open positions.")
        return {
            "leverage": leverage,
            "maxNotionalValue": "1000000",
            "symbol": native(instrument.symbol),
        }

    def set_mode(self, asked: Asked) -> Json:
        """CROSSED or ISOLATED."""
        instrument = self._desk.instrument(asked)
        mode = _MODES.get(asked.needed("marginType"))
        if mode is None:
            raise error(-4049, "Invalid marginType.")
        seat = self._seat(asked.account, instrument.symbol)
        if seat.margin_mode == mode:
            raise error(-4046, "No need to change margin type.")
        exchange = self._house.exchange
        if not exchange.set_leverage(asked.account, instrument.id, seat.leverage, mode):
            raise error(-4048, "Margin type cannot be changed if there exists position.")
        return {"code": 200, "msg": "success"}

    def brackets(self, asked: Asked) -> Json:
        """Maintenance margin by notional."""
        found: list[Json] = []
        for instrument in self._desk.instruments_of(asked):
            floor = 0
            tiers: list[Any] = []
            for at, tier in enumerate(instrument.spec.margin_tiers, 1):
                cap = tier.notional_max or 10**17
                tiers.append(
                    {
                        "bracket": at,
                        "initialLeverage": tier.leverage_max,
                        "notionalCap": cap // 10**EIGHT,
                        "notionalFloor": floor // 10**EIGHT,
                        "maintMarginRatio": Raw(fixed(tier.maintenance_rate, EIGHT, 4).encode()),
                        "cum": Raw(fixed(tier.deduction, EIGHT, 1).encode()),
                    }
                )
                floor = cap
            found.append({"symbol": native(instrument.symbol), "brackets": tiers})
        return found

    def income(self, asked: Asked) -> Json:
        """Funding, oldest first; paid is negative."""
        if asked.text("incomeType", "FUNDING_FEE") != "FUNDING_FEE":
            return []
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        wanted = {i.id: i for i in self._desk.instruments_of(asked)}
        found: list[Json] = [
            {
                "symbol": native(wanted[paid.instrument].symbol),
                "incomeType": "FUNDING_FEE",
                "income": money(-paid.amount),
                "asset": wanted[paid.instrument].settle,
                "time": ms(paid.ts),
                "info": "FUNDING_FEE",
                "tranId": at,
                "tradeId": "",
            }
            for at, paid in enumerate(self._house.funding, 1)
            if paid.portfolio == asked.account
            and paid.instrument in wanted
            and start <= ms(paid.ts) <= (end or ms(paid.ts))
        ]
        limit = asked.limit(100, 1_000)
        offset = (asked.number("page", 1) - 1) * limit
        return found[offset : offset + limit]

    def commission(self, asked: Asked) -> Json:
        """What fills cost."""
        instrument = self._desk.instrument(asked)
        return {
            "symbol": native(instrument.symbol),
            "makerCommissionRate": fixed(instrument.maker_fee, EIGHT, 6),
            "takerCommissionRate": fixed(instrument.taker_fee, EIGHT, 6),
        }

    def config(self, asked: Asked) -> Json:
        """One-way mode, single asset."""
        key = asked.key
        return {
            "feeTier": 0,
            "canTrade": key is not None and key.can_trade,
            "canDeposit": True,
            "canWithdraw": key is not None and key.can_withdraw,
            "dualSidePosition": False,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    def symbol_config(self, asked: Asked) -> Json:
        """Leverage and margin mode."""
        found: list[Json] = []
        for instrument in self._desk.instruments_of(asked):
            seat = self._seat(asked.account, instrument.symbol)
            found.append(
                {
                    "symbol": native(instrument.symbol),
                    "marginType": "CROSSED" if seat.margin_mode == CROSS else "ISOLATED",
                    "isAutoAddMargin": False,
                    "leverage": seat.leverage,
                    "maxNotionalValue": "1000000",
                }
            )
        return found

    def is_hedged(self, _asked: Asked) -> Json:
        """Never: one-way mode."""
        return {"dualSidePosition": False}

    def is_multi(self, _asked: Asked) -> Json:
        """Never: single-asset mode."""
        return {"multiAssetsMargin": False}

    def _now(self) -> int:
        return self._house.clock.now_ms()

    def _seat(self, account: str, symbol: str) -> Seat:
        exchange = self._house.exchange
        listing = exchange.desk.listings[self._house.instruments[symbol].id]
        return listing.seat(exchange.account(account))

    def _account_position(self, seat: Seat) -> Shape:
        margin = money(seat.margin)
        return {
            "symbol": native(seat.instrument.symbol),
            "initialMargin": margin,
            "maintMargin": money(seat.maintenance()),
            "unrealizedProfit": money(seat.unrealized()),
            "positionInitialMargin": margin,
            "openOrderInitialMargin": "0",
            "leverage": str(seat.leverage),
            "isolated": seat.margin_mode == ISOLATED,
            "entryPrice": entry_of(seat),
            "maxNotional": "1000000",
            "bidNotional": "0",
            "askNotional": "0",
            "positionSide": "BOTH",
            "positionAmt": quantity_text(seat.instrument, seat.quantity),
            "updateTime": self._now(),
        }


def entry_of(seat: Seat) -> str:
    """Average price of an open position."""
    scales = (seat.instrument.settle_scale, seat.instrument.quantity_scale)
    return entry_price(seat.cost, seat.quantity, scales)


def _risk(seat: Seat) -> Shape:
    instrument = seat.instrument
    notional = instrument.value(instrument.mark, abs(seat.quantity))
    margin = money(seat.margin)
    isolated = margin if seat.margin_mode == ISOLATED else "0"
    return {
        "symbol": native(instrument.symbol),
        "positionSide": "BOTH",
        "positionAmt": quantity_text(instrument, seat.quantity),
        "entryPrice": entry_of(seat),
        "breakEvenPrice": entry_of(seat),
        "markPrice": price_text(instrument, instrument.mark),
        "unRealizedProfit": money(seat.unrealized()),
        "liquidationPrice": _liquidation(seat),
        "isolatedMargin": isolated,
        "notional": money(notional if seat.quantity > 0 else -notional),
        "marginAsset": instrument.settle,
        "isolatedWallet": isolated,
        "initialMargin": margin,
        "maintMargin": money(seat.maintenance()),
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": 0,
    }


def _liquidation(seat: Seat) -> str:
    """About where the margin is used up, of isolated positions; of cross ones it is not said."""
    if seat.margin_mode == CROSS or not seat.quantity:
        return "0"
    per_unit = div_half_even(seat.margin, abs(seat.quantity) * seat.instrument.multiplier)
    entry = div_half_even(seat.cost, abs(seat.quantity) * seat.instrument.multiplier)
    price = entry - per_unit if seat.quantity > 0 else entry + per_unit
    return format_scaled(max(0, price), seat.instrument.price_scale)


def _sums(wallet: FuturesWallet) -> Shape:
    margin = money(wallet.total)
    return {
        "totalInitialMargin": margin,
        "totalMaintMargin": "0.00000000",
        "totalWalletBalance": money(wallet.total),
        "totalUnrealizedProfit": money(wallet.unrealized),
        "totalMarginBalance": money(wallet.total + wallet.unrealized),
        "totalPositionInitialMargin": money(wallet.position_margin),
        "totalOpenOrderInitialMargin": money(wallet.order_margin),
        "totalCrossWalletBalance": money(wallet.total),
        "totalCrossUnPnl": money(wallet.unrealized),
        "availableBalance": money(wallet.free),
        "maxWithdrawAmount": money(wallet.free),
    }


def _asset(wallet: FuturesWallet) -> Shape:
    return {
        "asset": wallet.asset,
        "walletBalance": money(wallet.total),
        "unrealizedProfit": money(wallet.unrealized),
        "marginBalance": money(wallet.total + wallet.unrealized),
        "maintMargin": "0.00000000",
        "initialMargin": money(wallet.total),
        "positionInitialMargin": money(wallet.position_margin),
        "openOrderInitialMargin": money(wallet.order_margin),
        "crossWalletBalance": money(wallet.total),
        "crossUnPnl": money(wallet.unrealized),
        "availableBalance": money(wallet.free),
        "maxWithdrawAmount": money(wallet.free),
    }
