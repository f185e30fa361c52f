"""What cards have in common; apart from the fixtures, which pytest itself must import first."""

import pytest

from live.live_trader import Trader
from live.live_world import Account


class OnOneEngine:
    """Cards that need no engine of their own: starting one takes longer than they do."""

    @pytest.fixture
    def trader(self, shared: Trader) -> Trader:
        """The module's."""
        return shared

    @pytest.fixture
    def account(self, shared: Trader) -> Account:
        """The one that it trades."""
        return shared.account
