"""Double-entry bookkeeping: where every unit of every asset is, and why it came or went.

A balance is the cash of one (portfolio, venue, asset). Its opposite are the contra accounts of
(portfolio, kind, asset): what we deposited, earned by trading, paid in fees and so on. Money only
ever moves between two accounts, so each asset's accounts sum to zero after every single posting:

    balance = deposits + trading - fees + funding + insurance + adjustments  (portfolio, asset)

A contra holds the negative of what came out of it: fees paid are positive in FEES, deposits
negative in EXTERNAL. All amounts are ints on the asset's own scale.
"""

from typing import Final, final

EXTERNAL: Final = 0  # deposits and withdrawals, and transfers to other portfolios
TRADING: Final = 1  # what fills paid and brought; realised PnL of derivatives
FEES: Final = 2
FUNDING: Final = 3
INSURANCE: Final = 4  # a loss beyond the margin at liquidation, borne by the venue's fund
ADJUSTMENT: Final = 5  # what moved at the venue by others, and what nothing explains
CONTRA_NAMES: Final = ("external", "trading", "fees", "funding", "insurance", "adjustment")


class LedgerError(Exception):
    """A posting that cannot be right: a bug in the caller, never a business refusal."""


@final
class Contra:
    """Why money came or went: one (portfolio, kind, asset)."""

    def __init__(self, portfolio: str, kind: int, asset: str) -> None:
        self.portfolio: Final = portfolio
        self.kind: Final = kind
        self.asset: Final = asset
        self.total = 0

    def name(self) -> str:
        """Account name in postings: "portfolio/kind"."""
        return f"{self.portfolio}/{CONTRA_NAMES[self.kind]}"


@final
class Balance:
    """The cash of one (portfolio, venue, asset).

    `held` is reserved by open orders, `margin` backs open positions; both are parts of `total`.
    The valuation fields are the owner's cache of the balance in the reporting asset
    (total x rate_num / rate_den); they are neither checked nor part of the state.
    """

    def __init__(self, portfolio: str, venue: str, asset: str, contras: list[Contra]) -> None:
        self.portfolio: Final = portfolio
        self.venue: Final = venue
        self.asset: Final = asset
        self.contras: Final = contras  # of (portfolio, asset), by kind
        self.total = 0
        self.held = 0
        self.margin = 0
        self.rate_num = 0
        self.rate_den = 1
        self.value = 0
        self.unvalued = False
        self.had_value = False  # before a restart, so its first price is no news

    def name(self) -> str:
        """Account name in postings: "portfolio/@venue"."""
        return f"{self.portfolio}/@{self.venue}"

    def available(self) -> int:
        """What a new order may use. Below zero when the venue took more than we reserved."""
        return self.total - self.held - self.margin

    def hold(self, amount: int) -> None:
        """Reserve for an order. Having enough is the risk gate's question, not asked again here."""
        if amount < 0:
            raise LedgerError(f"{self.name()} {self.asset}: hold of {amount}; it must be >= 0")
        self.held += amount

    def release(self, amount: int) -> None:
        """Give back a part of what orders hold."""
        if amount < 0 or amount > self.held:
            raise LedgerError(
                f"{self.name()} {self.asset}: release of {amount} out of {self.held} held"
            )
        self.held -= amount

    def add_margin(self, amount: int) -> None:
        """Tie up margin for a position."""
        if amount < 0:
            raise LedgerError(f"{self.name()} {self.asset}: margin of {amount}; it must be >= 0")
        self.margin += amount

    def free_margin(self, amount: int) -> None:
        """Give back a part of the margin."""
        if amount < 0 or amount > self.margin:
            raise LedgerError(
                f"{self.name()} {self.asset}: {amount} freed out of a margin of {self.margin}"
            )
        self.margin -= amount


@final
class Posting:
    """One side of a movement, as captured while auditing."""

    def __init__(self, account: str, asset: str, amount: int) -> None:
        self.account: Final = account
        self.asset: Final = asset
        self.amount: Final = amount


@final
class ProofRow:
    """One asset of one portfolio: where the balance comes from. `difference` must be 0.

    Signs are the portfolio's: what came in is positive, so `fees` is normally negative.
    """

    def __init__(self, asset: str, contras: list[Contra], balance: int) -> None:
        self.asset: Final = asset
        self.deposits: Final = -contras[EXTERNAL].total
        self.trading: Final = -contras[TRADING].total
        self.fees: Final = -contras[FEES].total
        self.funding: Final = -contras[FUNDING].total
        self.insurance: Final = -contras[INSURANCE].total
        self.adjustment: Final = -contras[ADJUSTMENT].total
        self.balance: Final = balance
        self.difference: Final = balance + sum([contra.total for contra in contras])


@final
class Reserved:
    """What the orders (`held`) or positions (`margin`) of one balance say it should reserve."""

    def __init__(self, portfolio: str, venue: str, asset: str, held: int, margin: int) -> None:
        self.portfolio: Final = portfolio
        self.venue: Final = venue
        self.asset: Final = asset
        self.held: Final = held
        self.margin: Final = margin


@final
class Ledger:
    """All accounts. `audit` turns on the capture of postings (off on the hot path)."""

    def __init__(self) -> None:
        self.audit = False
        self.event_seq = 0
        self.postings: list[Posting] = []
        self._balances: dict[tuple[str, str, str], Balance] = {}
        self._contras: dict[tuple[str, str], list[Contra]] = {}

    def begin(self, event_seq: int) -> None:
        """Start the postings of an event; those of the one before are forgotten."""
        self.event_seq = event_seq
        if self.postings:
            self.postings = []

    def balance(self, portfolio: str, venue: str, asset: str) -> Balance:
        """The balance, opened empty when it is the first time."""
        found = self._balances.get((portfolio, venue, asset))
        if found is not None:
            return found
        opened = Balance(portfolio, venue, asset, self.contras(portfolio, asset))
        self._balances[(portfolio, venue, asset)] = opened
        return opened

    def find(self, portfolio: str, venue: str, asset: str) -> Balance | None:
        """The balance, or None when there never was one."""
        return self._balances.get((portfolio, venue, asset))

    def balances(self, portfolio: str = "") -> list[Balance]:
        """All balances (of one portfolio), in the order they were opened."""
        return [
            balance for balance in self._balances.values() if portfolio in ("", balance.portfolio)
        ]

    def contras(self, portfolio: str, asset: str) -> list[Contra]:
        """The contra accounts of a portfolio and asset, by kind; opened the first time."""
        found = self._contras.get((portfolio, asset))
        if found is not None:
            return found
        opened = [Contra(portfolio, kind, asset) for kind in range(len(CONTRA_NAMES))]
        self._contras[(portfolio, asset)] = opened
        return opened

    def contra(self, portfolio: str, kind: int, asset: str) -> Contra:
        """One contra account."""
        return self.contras(portfolio, asset)[kind]

    def post(self, balance: Balance, kind: int, amount: int) -> None:
        """`amount` comes into the balance (leaves it when negative) because of `kind`."""
        balance.total += amount
        contra = balance.contras[kind]
        contra.total -= amount
        if self.audit:
            self._capture(balance.name(), contra.name(), balance.asset, amount)

    def move(self, balance: Balance, contra: Contra, amount: int) -> None:
        """`post` with the contra in hand; LedgerError when it is another portfolio's or asset's."""
        if balance.contras[contra.kind] is not contra:
            raise LedgerError(
                f"{balance.name()} {balance.asset} cannot be posted against "
                f"{contra.name()} {contra.asset}"
            )
        self.post(balance, contra.kind, amount)

    def transfer(self, source: Balance, target: Balance, amount: int) -> None:
        """Move cash between venues; between portfolios it is a withdrawal and a deposit."""
        if source.asset != target.asset:
            raise LedgerError(f"transfer of {source.asset} into {target.asset}")
        if amount < 0:
            raise LedgerError(f"transfer of {amount} {source.asset}; it must be >= 0")
        if source.portfolio != target.portfolio:
            self.post(source, EXTERNAL, -amount)
            self.post(target, EXTERNAL, amount)
            return
        source.total -= amount
        target.total += amount
        if self.audit:
            self._capture(target.name(), source.name(), source.asset, amount)

    def check(self, reserved: list[Reserved] | None = None) -> list[str]:
        """Everything that is wrong, as text; [] when the books are right.

        With `reserved` (one row an order or position; rows of a balance add up) the holds and
        margins must be exactly theirs, also for a balance they do not name.
        """
        problems = self._check_sums()
        problems.extend(self._check_postings())
        for balance in self._balances.values():
            if balance.held < 0 or balance.margin < 0:
                problems.append(
                    f"{balance.name()} {balance.asset}: negative reservation "
                    f"(held {balance.held}, margin {balance.margin})"
                )
        if reserved is not None:
            problems.extend(self._check_reserved(reserved))
        return problems

    def proof(self, portfolio: str) -> list[ProofRow]:
        """One row an asset, sorted by its name."""
        totals: dict[str, int] = {}
        for balance in self._balances.values():
            if balance.portfolio == portfolio:
                totals[balance.asset] = totals.get(balance.asset, 0) + balance.total
        for key in self._contras:
            if key[0] == portfolio:
                totals.setdefault(key[1], 0)
        return [
            ProofRow(asset, self.contras(portfolio, asset), totals[asset])
            for asset in sorted(totals)
        ]

    def state_items(self) -> list[int | str]:
        """All accounts as a flat list in key order, for digests and snapshots; see `restore`."""
        items: list[int | str] = [len(self._balances)]
        for key in sorted(self._balances):
            balance = self._balances[key]
            items.extend([key[0], key[1], key[2], balance.total, balance.held, balance.margin])
        for owner in sorted(self._contras):
            items.extend([owner[0], owner[1]])
            items.extend([contra.total for contra in self._contras[owner]])
        return items

    def restore(self, items: list[int | str]) -> None:
        """Become what `state_items` described, in an empty ledger; LedgerError on anything else."""
        if self._balances or self._contras:
            raise LedgerError("only an empty ledger can be restored")
        end = 1 + 6 * _int(items[0])
        for at in range(1, end, 6):
            balance = self.balance(str(items[at]), str(items[at + 1]), str(items[at + 2]))
            balance.total = _int(items[at + 3])
            balance.held = _int(items[at + 4])
            balance.margin = _int(items[at + 5])
        for at in range(end, len(items), 2 + len(CONTRA_NAMES)):
            contras = self.contras(str(items[at]), str(items[at + 1]))
            for kind in range(len(CONTRA_NAMES)):
                contras[kind].total = _int(items[at + 2 + kind])
        problems = self.check()
        if problems:
            raise LedgerError("restored books are wrong: " + "; ".join(problems))

    def _capture(self, into: str, out_of: str, asset: str, amount: int) -> None:
        """Keep both sides of a movement."""
        self.postings.append(Posting(into, asset, amount))
        self.postings.append(Posting(out_of, asset, -amount))

    def _check_sums(self) -> list[str]:
        """Each asset's accounts sum to zero, over all and within each portfolio."""
        sums: dict[tuple[str, str], int] = {}
        for balance in self._balances.values():
            key = (balance.portfolio, balance.asset)
            sums[key] = sums.get(key, 0) + balance.total
        for owner, contras in self._contras.items():
            sums[owner] = sums.get(owner, 0) + sum([contra.total for contra in contras])
        return [
            f"{key[0]} {key[1]}: the accounts sum to {total}, not 0"
            for key, total in sums.items()
            if total != 0
        ]

    def _check_postings(self) -> list[str]:
        """The captured postings of the current event sum to zero an asset."""
        sums: dict[str, int] = {}
        for posting in self.postings:
            sums[posting.asset] = sums.get(posting.asset, 0) + posting.amount
        return [
            f"event {self.event_seq}: its {asset} postings sum to {total}, not 0"
            for asset, total in sums.items()
            if total != 0
        ]

    def _check_reserved(self, reserved: list[Reserved]) -> list[str]:
        """Holds and margins are what the orders and positions say."""
        held: dict[tuple[str, str, str], int] = {}
        margin: dict[tuple[str, str, str], int] = {}
        for row in reserved:
            key = (row.portfolio, row.venue, row.asset)
            held[key] = held.get(key, 0) + row.held
            margin[key] = margin.get(key, 0) + row.margin
        problems = [
            f"{key[0]}/@{key[1]} {key[2]}: reserved but there is no such balance"
            for key in held
            if key not in self._balances
        ]
        for key, balance in self._balances.items():
            if balance.held != held.get(key, 0) or balance.margin != margin.get(key, 0):
                problems.append(
                    f"{balance.name()} {balance.asset}: held {balance.held}, "
                    f"margin {balance.margin}; orders hold {held.get(key, 0)}, "
                    f"positions need {margin.get(key, 0)}"
                )
        return problems


def _int(item: int | str) -> int:
    """A state item that must be an int."""
    if not isinstance(item, int):
        raise LedgerError(f"state item {item!r} is not an int")
    return item
