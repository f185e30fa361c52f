"""What makes events durable before their effects leave the engine; implemented over the stores."""

from mypy_extensions import mypyc_attr

from zvt_trading.messages.events import Event


@mypyc_attr(allow_interpreted_subclasses=True)
class Journal:
    """Takes the events in order, a group at a time; one group is one commit.

    A journal that cannot keep a group does not forget it: it goes on trying, in order, and takes
    what comes after it meanwhile. What its caller must not do until then is let anything leave that
    the journal would have to know of.
    """

    def commit(self, events: list[Event]) -> bool:
        """Make a group durable; False when that has not happened (yet)."""
        raise NotImplementedError

    def is_up(self) -> bool:
        """Whether everything it was given is durable."""
        raise NotImplementedError

    def problem(self) -> str:
        """Why it is not up, and what to do about it."""
        raise NotImplementedError

    def waiting(self) -> int:
        """How many events are not durable."""
        raise NotImplementedError
