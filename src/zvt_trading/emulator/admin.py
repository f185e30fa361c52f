"""The panel of an emulator, on a port of its own: faults, money, other people's orders, the record.

GET    /exchanges                    names, plain ports, requests, refused, requests in a ban
GET    /EXCHANGE/record              the judge's lines
GET    /EXCHANGE/balances?account=   {asset: {total, free, locked}}
POST   /EXCHANGE/faults              one Fault: {"kind": "timeout_after", "endpoint": "place"}
PUT    /EXCHANGE/faults              {"seed": 1, "rates": [{"fault": {...}, "per_10000": 100}]}
DELETE /EXCHANGE/faults
POST   /EXCHANGE/transfer            {"account", "asset", "amount": "-1.5"}
POST   /EXCHANGE/crowd               {"symbol", "side": "buy", "price", "quantity"}
POST   /EXCHANGE/manual              the same for an account of ours, as if typed by hand
POST   /EXCHANGE/disconnect          every stream
POST   /EXCHANGE/skew                {"ms": 5000}
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from zvt_trading.core.units import UnitError, format_scaled, parse_scaled
from zvt_trading.emulator.faults import Fault, Rate
from zvt_trading.emulator.house import MONEY_SCALE, House
from zvt_trading.emulator.orders import Ask, Refusal
from zvt_trading.emulator.wire import Wire
from zvt_trading.messages.codes import BUY, LIMIT, MARKET, SELL


class Profile(msgspec.Struct, forbid_unknown_fields=True):
    """Faults at random."""

    seed: int
    rates: tuple[Rate, ...]


class Money(msgspec.Struct, forbid_unknown_fields=True):
    """A deposit, or with a minus a withdrawal."""

    account: str
    asset: str
    amount: str


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody's order; without a price a market order."""

    symbol: str
    side: str
    quantity: str
    price: str = ""
    account: str = "default"
    client_id: str = ""


class Skew(msgspec.Struct, forbid_unknown_fields=True):
    """How far ahead of the truth the exchange's clock is."""

    ms: int


class Admin:
    """See the module."""

    def __init__(self, wires: Mapping[str, Wire], ports: Mapping[str, int]) -> None:
        self._wires: Final = wires
        self._ports: Final = ports

    def make_app(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[_errors_as_text])
        app.router.add_get("/exchanges", self._exchanges)
        for method, path, handler in (
            ("GET", "record", self._record),
            ("GET", "balances", self._balances),
            ("POST", "faults", self._add_fault),
            ("PUT", "faults", self._set_faults),
            ("DELETE", "faults", self._clear_faults),
            ("POST", "transfer", self._transfer),
            ("POST", "crowd", self._crowd),
            ("POST", "manual", self._manual),
            ("POST", "disconnect", self._disconnect),
            ("POST", "skew", self._skew),
        ):
            app.router.add_route(method, "/{exchange}/" + path, handler)
        return app

    def _wire(self, request: web.Request) -> Wire:
        name = request.match_info["exchange"]
        found = self._wires.get(name)
        if found is None:
            raise web.HTTPNotFound(text=f"no exchange {name!r}; there are {', '.join(self._wires)}")
        return found

    def _house(self, request: web.Request) -> House:
        return self._wire(request).house

    async def _exchanges(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                name: {
                    "port": self._ports.get(name, 0),
                    "requests": wire.house.limits.requests,
                    "refused": wire.house.limits.refused,
                    "requests_during_ban": wire.house.limits.requests_during_ban,
                    "faults": wire.house.faults.happened,
                    "streams": len(wire.sessions),
                }
                for name, wire in self._wires.items()
            }
        )

    async def _record(self, request: web.Request) -> web.Response:
        return web.json_response(self._house(request).record.lines)

    async def _balances(self, request: web.Request) -> web.Response:
        house = self._house(request)
        return web.json_response(
            {
                view.asset: {
                    "total": format_scaled(view.total, MONEY_SCALE),
                    "free": format_scaled(view.free, MONEY_SCALE),
                    "locked": format_scaled(view.locked, MONEY_SCALE),
                }
                for view in house.balances(request.query.get("account", "default"))
            }
        )

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = msgspec.json.decode(await request.read(), type=Fault)
        self._house(request).faults.add(fault)
        return web.json_response({})

    async def _set_faults(self, request: web.Request) -> web.Response:
        profile = msgspec.json.decode(await request.read(), type=Profile)
        self._house(request).faults.set_profile(profile.seed, profile.rates)
        return web.json_response({})

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._house(request).faults.clear()
        return web.json_response({})

    async def _transfer(self, request: web.Request) -> web.Response:
        money = msgspec.json.decode(await request.read(), type=Money)
        house = self._house(request)
        amount = parse_scaled(money.amount, MONEY_SCALE)
        if amount > 0:
            transfer = house.deposit(money.account, money.asset, amount)
        else:
            transfer = house.withdraw(money.account, money.asset, -amount)
        return web.json_response({"id": transfer.id})

    async def _crowd(self, request: web.Request) -> web.Response:
        house = self._house(request)
        order = msgspec.json.decode(await request.read(), type=Order)
        ask = _ask(house, order)
        placed = house.crowd(order.symbol, ask.side, ask.price, ask.quantity)
        return web.json_response({"id": placed.id})

    async def _manual(self, request: web.Request) -> web.Response:
        house = self._house(request)
        order = msgspec.json.decode(await request.read(), type=Order)
        placed = house.place(order.account, _ask(house, order))
        return web.json_response({"id": placed.id})

    async def _disconnect(self, request: web.Request) -> web.Response:
        await self._wire(request).disconnect_all()
        return web.json_response({})

    async def _skew(self, request: web.Request) -> web.Response:
        skew = msgspec.json.decode(await request.read(), type=Skew)
        self._house(request).clock.skew_ns = skew.ms * 1_000_000
        return web.json_response({})


def _ask(house: House, order: Order) -> Ask:
    instrument = house.instruments.get(order.symbol)
    if instrument is None or order.side not in {"buy", "sell"}:
        raise ValueError(
            f"symbol {order.symbol!r} must be one of {', '.join(house.instruments)}, "
            f"side {order.side!r} buy or sell"
        )
    return Ask(
        instrument,
        BUY if order.side == "buy" else SELL,
        LIMIT if order.price else MARKET,
        parse_scaled(order.quantity, instrument.quantity_scale),
        client_id=order.client_id,
        price=parse_scaled(order.price, instrument.price_scale) if order.price else 0,
    )


@web.middleware
async def _errors_as_text(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (msgspec.MsgspecError, UnitError, ValueError, Refusal) as error:
        return web.json_response({"error": str(error)}, status=400)
