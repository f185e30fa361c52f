"""One account of the house as Binance's two wallets; together they have what is there."""

from msgspec import Struct

from zvt_trading.emulator.house import BalanceView, House
from zvt_trading.sim.accounts import Seat


class FuturesWallet(Struct, frozen=True):
    """One asset of the USD-M wallet, on scale 8."""

    asset: str
    position_margin: int
    order_margin: int
    unrealized: int
    free: int

    @property
    def total(self) -> int:
        """What positions and orders hold: the rest is in the spot wallet."""
        return self.position_margin + self.order_margin


def open_seats(house: House, account: str) -> list[Seat]:
    """Positions that are not flat."""
    return [seat for seat in house.seats(account) if seat.quantity]


def futures_wallet(house: House, account: str) -> list[FuturesWallet]:
    """By settle asset of the perpetuals."""
    owner = house.exchange.account(account)
    assets = sorted({i.settle for i in house.instruments.values() if not i.is_spot})
    wallets: list[FuturesWallet] = []
    for asset in assets:
        seats = [seat for seat in owner.perpetuals if seat.settle.asset.name == asset]
        orders = sum(
            order.lock for order in house.exchange.open_orders(account) if order.seat in seats
        )
        wallets.append(
            FuturesWallet(
                asset,
                owner.balance(asset).margin,
                orders,
                sum(seat.unrealized() for seat in seats),
                house.exchange.free(account, asset),
            )
        )
    return wallets


def spot_wallet(house: House, account: str) -> list[BalanceView]:
    """Every asset, without what is in the futures wallet."""
    elsewhere = {wallet.asset: wallet.total for wallet in futures_wallet(house, account)}
    views: list[BalanceView] = []
    for view in house.balances(account):
        moved = elsewhere.get(view.asset, 0)
        views.append(BalanceView(view.asset, view.total - moved, view.free, view.locked - moved))
    return views
