"""Column types that are the same number, time and id on every database, to the last digit."""

from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, Final

from sqlalchemy import DateTime, Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

DECIMALS: Final = 18
DIGITS: Final = 38

_EXACT: Final = Context(prec=100, traps=[Inexact, InvalidOperation])
_UNIT: Final = Decimal(1).scaleb(-DECIMALS)


class ExactDecimal(TypeDecorator[Decimal]):
    """NUMERIC(38,18); where there is none that is exact (SQLite), text with all 18 decimals.

    The text of non-negative numbers sorts as the numbers do by (length, text).
    """

    impl = Numeric(DIGITS, DECIMALS)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, whose numbers are floats."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(Numeric(DIGITS, DECIMALS))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Raises decimal.Inexact when digits would be lost, InvalidOperation for NaN."""
        if value is None:
            return None
        if not value.is_finite():
            raise InvalidOperation(f"{value} is no number that can be stored")
        exact = value.quantize(_UNIT, context=_EXACT)
        return f"{exact:f}" if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, _dialect: Dialect) -> Decimal | None:
        """Always with 18 decimals."""
        if value is None or isinstance(value, Decimal):
            return value
        return Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, in UTC: TIMESTAMPTZ, or ISO 8601 text on SQLite. Microseconds."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, which has no times."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Raises ValueError for a time without a zone."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value.isoformat()} has no time zone; use an aware datetime")
        moment = value.astimezone(UTC)
        if dialect.name != "sqlite":
            return moment
        return moment.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return found.astimezone(UTC)
