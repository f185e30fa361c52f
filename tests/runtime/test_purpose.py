"""What a store is for is the second thing that its journal says."""

from contextlib import closing
from pathlib import Path

import pytest

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.bootstrap import generated_world, stored_memory
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.ports.store import DamagedJournalError
from zvt_trading.runtime.purpose import DedicatedMemory, purpose_of, stored_purpose
from zvt_trading.types import TradingState


def test_it_names_the_mode_and_where_each_venue_is() -> None:
    """In the order of their names, so that a config may have any."""
    expected = "live trading: binance (exchange), okx (testnet)"
    assert expected == purpose_of("live", {"okx": True, "binance": False})


def life(url: str, purpose: str | None) -> CryptoTradingEngine:
    memory = stored_memory(url)
    dedicated = memory if purpose is None else DedicatedMemory(memory, purpose)
    return CryptoTradingEngine(generated_world(seconds=5, memory=dedicated))


def test_the_first_life_says_it_for_all_that_follow(tmp_path: Path) -> None:
    """A later one does not say it again, nor does it switch trading on."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    with life(url, "paper trading: a") as engine:
        engine.set_trading_state("halted")
    with life(url, "paper trading: b") as engine:
        assert TradingState.HALTED == engine.get_portfolio_summary().trading_state
    with closing(open_store(url)) as store:
        assert "paper trading: a" == stored_purpose(store)


def test_an_empty_store_is_for_anything_and_another_does_not_say(tmp_path: Path) -> None:
    """None and "" are different answers."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    with closing(open_store(url)) as store:
        assert stored_purpose(store) is None
    life(url, None).close()
    with closing(open_store(url)) as store:
        assert not stored_purpose(store)
        assert stored_purpose(store) is not None


def test_a_damaged_journal_says_nothing(tmp_path: Path) -> None:
    """It is found out, not read."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    life(url, "paper trading: a").close()
    with closing(open_store(url)) as store:
        [first, second] = store.entries(0, 2)
        changed = second._replace(body=second.body.replace("paper", "live "))

    class Damaged:
        name = "damaged"

        def entries(self, _after: int, _limit: int | None = None) -> object:
            return iter([first, changed])

    with pytest.raises(DamagedJournalError):
        stored_purpose(Damaged())  # type: ignore[arg-type]  # the two entries are all it needs
