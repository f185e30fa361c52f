"""Streams: subscriptions to the market, user data, and the frames of both.

A socket is of the futures by its host (fstream) or path (/public, /market, /private, /fstream);
each subscription is named as Binance names it: "btcusdt@depth@100ms".
"""

from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.emulator import faults
from zvt_trading.emulator.binance import shapes
from zvt_trading.emulator.binance.desk import Desk
from zvt_trading.emulator.binance.numbers import (
    EIGHT,
    fixed,
    money,
    ms,
    native,
    price_text,
    quantity_text,
)
from zvt_trading.emulator.binance.positions import entry_of
from zvt_trading.emulator.binance.wallets import futures_wallet, spot_wallet
from zvt_trading.emulator.feed import BookUpdate
from zvt_trading.emulator.orders import AMENDED, CANCELED, EXPIRED, Change
from zvt_trading.emulator.wire import Session
from zvt_trading.messages.codes import CROSS, SELL
from zvt_trading.messages.market import MarkPrice, QuoteTick, TradeTick
from zvt_trading.messages.reports import FundingPaid
from zvt_trading.sim.accounts import Seat

Frame = dict[str, Any]
_LINEAR_PATHS: Final = ("/fstream", "/public", "/market", "/private")
TICKER: Final = "ticker"
CANDLE: Final = "kline_"
USER: Final = "user"  # the topic of a socket that hears of its account


def is_linear(session: Session) -> bool:
    """Whether a socket is of the futures."""
    return session.host.startswith("fstream") or session.path.startswith(_LINEAR_PATHS)


class Streams:
    """Frames for the sessions of one wire; `sessions` is the wire's list."""

    def __init__(self, spot: Desk, linear: Desk, sessions: list[Session]) -> None:
        self._spot: Final = spot
        self._linear: Final = linear
        self._house: Final = spot.house
        self._sessions: Final = sessions
        self._shown: dict[tuple[str, str], tuple[object, ...]] = {}  # what was last told of money

    # The market.

    def book_changed(self, update: BookUpdate) -> None:
        """Every update at once, whatever interval was asked for."""
        instrument = self._house.instruments[update.symbol]
        levels = {
            "b": [_level(instrument, level) for level in update.bids],
            "a": [_level(instrument, level) for level in update.asks],
        }
        frame: Frame = {"e": "depthUpdate", "E": ms(update.ts), "s": native(update.symbol)}
        if instrument.is_spot:
            frame |= {"U": update.first_id, "u": update.last_id, **levels}
        else:
            frame |= {"T": ms(update.ts), "U": update.first_id, "u": update.last_id}
            frame |= {"pu": update.previous_id, **levels}
        self._publish(update.symbol, ("depth", "depth@100ms", "depth@500ms", "depth@0ms"), frame)

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """As trade and as aggTrade."""
        instrument = self._house.instruments[symbol]
        common: Frame = {
            "E": ms(trade.ts),
            "s": native(symbol),
            "p": price_text(instrument, trade.price),
            "q": quantity_text(instrument, trade.size),
            "T": ms(trade.ts),
            "m": trade.aggressor == SELL,
        }
        extra = {"M": True} if instrument.is_spot else {}
        one = {"e": "trade", "t": trade.trade_id, **common, **extra}
        if not instrument.is_spot:
            one["X"] = "MARKET"
        self._publish(symbol, ("trade",), one)
        ids = {"a": trade.trade_id, "f": trade.trade_id, "l": trade.trade_id}
        self._publish(symbol, ("aggTrade",), {"e": "aggTrade", **ids, **common, **extra})

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        """As bookTicker; spot has neither event name nor times."""
        instrument = self._house.instruments[symbol]
        frame: Frame = {
            "u": quote.update_id or quote.ts,
            "s": native(symbol),
            "b": price_text(instrument, quote.bid),
            "B": quantity_text(instrument, quote.bid_size),
            "a": price_text(instrument, quote.ask),
            "A": quantity_text(instrument, quote.ask_size),
        }
        if not instrument.is_spot:
            frame = {"e": "bookTicker", "T": ms(quote.ts), "E": ms(quote.ts), **frame}
        self._publish(symbol, ("bookTicker",), frame)

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        """As markPriceUpdate."""
        scale = self._house.instruments[symbol].price_scale
        frame: Frame = {
            "e": "markPriceUpdate",
            "E": ms(mark.ts),
            "s": native(symbol),
            "p": fixed(mark.price, scale, EIGHT),
            "i": fixed(mark.index_price, scale, EIGHT),
            "P": fixed(mark.index_price, scale, EIGHT),
            "r": "0.00010000",
            "T": ms(mark.ts),
        }
        self._publish(symbol, ("markPrice", "markPrice@1s"), frame)

    def is_wanted(self, symbol: str, name: str) -> bool:
        """Whether any socket hears it."""
        topic = f"{native(symbol).lower()}@{name}"
        return any(topic in session.topics for session in self._sessions)

    def candle_intervals(self, symbol: str) -> list[str]:
        """Those that any socket hears, e.g. ["1m"]."""
        root = f"{native(symbol).lower()}@{CANDLE}"
        heard = {topic for one in self._sessions for topic in one.topics if topic.startswith(root)}
        return sorted(topic.removeprefix(root) for topic in heard)

    def candle(self, symbol: str, interval: str, row: list[Any], trade: TradeTick) -> None:
        """A kline of what /klines says, with every trade; it is never told as closed."""
        shape = {
            "t": row[0],
            "T": row[6],
            "s": native(symbol),
            "i": interval,
            "f": trade.trade_id - row[8] + 1,
            "L": trade.trade_id,
            "o": row[1],
            "c": row[4],
            "h": row[2],
            "l": row[3],
            "v": row[5],
            "n": row[8],
            "x": False,
            "q": row[7],
            "V": row[9],
            "Q": row[10],
            "B": "0",
        }
        frame: Frame = {"e": "kline", "E": ms(trade.ts), "s": native(symbol), "k": shape}
        self._publish(symbol, (f"{CANDLE}{interval}",), frame)

    def ticker(self, symbol: str, shape: dict[str, Any]) -> None:
        """A 24hrTicker of what /ticker/24hr says."""
        frame: Frame = {
            "e": "24hrTicker",
            "E": shape["closeTime"],
            "s": shape["symbol"],
            "p": shape["priceChange"],
            "P": shape["priceChangePercent"],
            "w": shape["weightedAvgPrice"],
            "c": shape["lastPrice"],
            "Q": shape["lastQty"],
            "o": shape["openPrice"],
            "h": shape["highPrice"],
            "l": shape["lowPrice"],
            "v": shape["volume"],
            "q": shape["quoteVolume"],
            "O": shape["openTime"],
            "C": shape["closeTime"],
            "F": shape["firstId"],
            "L": shape["lastId"],
            "n": shape["count"],
        }
        if "bidPrice" in shape:
            frame |= {
                "x": shape["prevClosePrice"],
                "b": shape["bidPrice"],
                "B": shape["bidQty"],
                "a": shape["askPrice"],
                "A": shape["askQty"],
            }
        self._publish(symbol, (TICKER,), frame)

    # The account.

    def order_changed(self, change: Change) -> None:
        """As executionReport or ORDER_TRADE_UPDATE."""
        order = change.order
        kind = change.kind.upper()
        if change.kind == CANCELED and shapes.status(order, change.life, 0) == "EXPIRED":
            kind = EXPIRED.upper()
        if order.instrument.is_spot:
            kind = "REPLACED" if change.kind == AMENDED else kind
            cancel_id = self._spot.cancel_ids.get(order.id, "") if kind == "CANCELED" else ""
            ids = (cancel_id, order.client_id) if cancel_id else (order.client_id, "")
            self._tell_spot(order.account, shapes.execution_report(change, kind, *ids))
        else:
            kind = "AMENDMENT" if change.kind == AMENDED else kind
            self._tell_linear(order.account, shapes.order_trade_update(change, kind))

    def balances_changed(self, account: str, assets: tuple[str, ...], ts: int) -> None:
        """As outboundAccountPosition, when the spot wallet is not as it was last told."""
        held = {view.asset: view for view in spot_wallet(self._house, account)}
        views = [held[asset] for asset in assets if asset in held]
        if not self._is_news(account, ",".join(assets), tuple(views)):
            return
        self._tell_spot(
            account,
            {
                "e": "outboundAccountPosition",
                "E": ms(ts),
                "u": ms(ts),
                "B": [
                    {"a": view.asset, "f": money(view.free), "l": money(view.locked)}
                    for view in views
                ],
            },
        )

    def position_changed(self, seat: Seat, ts: int) -> None:
        """As ACCOUNT_UPDATE, when position or wallet are not as they were last told."""
        self._account_update(seat, ts, "ORDER")

    def funding_paid(self, report: FundingPaid) -> None:
        """As ACCOUNT_UPDATE of its own kind."""
        seat = self._house.exchange.seat(report.portfolio, report.instrument)
        if seat is not None:
            self._account_update(seat, report.ts, "FUNDING_FEE")

    def listen_key_expired(self, account: str, listen_key: str) -> None:
        """The user data of the futures ends here."""
        now = self._house.clock.now_ms()
        frame: Frame = {"e": "listenKeyExpired", "E": now, "listenKey": listen_key}
        self._tell_linear(account, frame)

    # Inside.

    def _account_update(self, seat: Seat, ts: int, why: str) -> None:
        account, instrument = seat.account.name, seat.instrument
        wallets = [
            wallet
            for wallet in futures_wallet(self._house, account)
            if wallet.asset == instrument.settle
        ]
        news = (seat.quantity, seat.cost, *(wallet.total for wallet in wallets))
        if why == "ORDER" and not self._is_news(account, instrument.id, news):
            return
        is_cross = seat.margin_mode == CROSS
        position = {
            "s": native(instrument.symbol),
            "pa": quantity_text(instrument, seat.quantity),
            "ep": entry_of(seat),
            "bep": entry_of(seat),
            "cr": "0",
            "up": money(seat.unrealized()),
            "mt": "cross" if is_cross else "isolated",
            "iw": "0" if is_cross else money(seat.margin),
            "ps": "BOTH",
        }
        balances = [
            {"a": w.asset, "wb": money(w.total), "cw": money(w.total), "bc": "0"} for w in wallets
        ]
        positions = [position] if why == "ORDER" else []
        frame: Frame = {"e": "ACCOUNT_UPDATE", "T": ms(ts), "E": ms(ts)}
        frame["a"] = {"B": balances, "P": positions, "m": why}
        self._tell_linear(account, frame)

    def _is_news(self, account: str, about: str, now: tuple[object, ...]) -> bool:
        is_news = self._shown.get((account, about)) != now
        self._shown[account, about] = now
        return is_news

    def _publish(self, symbol: str, names: tuple[str, ...], frame: Frame) -> None:
        linear = not self._house.instruments[symbol].is_spot
        root = native(symbol).lower()
        for session in self._sessions:
            if is_linear(session) != linear:
                continue
            for name in names:
                topic = f"{root}@{name}"
                if topic in session.topics:
                    wrapped = {"stream": topic, "data": frame}
                    session.push(wrapped if "stream" in session.topics else frame, faults.PUBLIC)

    def _tell_spot(self, account: str, event: Frame) -> None:
        for session in self._sessions:
            if session.account == account and not is_linear(session) and USER in session.topics:
                wrapped = {"subscriptionId": session.topics[USER], "event": event}
                session.push(wrapped, faults.PRIVATE)

    def _tell_linear(self, account: str, event: Frame) -> None:
        for session in self._sessions:
            if session.account == account and is_linear(session) and USER in session.topics:
                session.push(event, faults.PRIVATE)


def _level(instrument: Instrument, level: tuple[int, int]) -> list[str]:
    return [price_text(instrument, level[0]), quantity_text(instrument, level[1])]
