"""Constraints on columns, the same on both databases.

Numbers are text on SQLite, always with 18 decimals, so these compare them as text. Migrations use
these functions: what one of them gives must never change.
"""

from sqlalchemy import CheckConstraint, Constraint

_ZERO = "0.000000000000000000"


def one_of(column: str, values: list[str]) -> CheckConstraint:
    """A column of names holds one of the known ones."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def not_negative(*columns: str) -> list[Constraint]:
    """Numbers that cannot be below zero."""
    found: list[Constraint] = []
    for column in columns:
        name = f"{column}_not_negative"
        numeric = CheckConstraint(f"{column} >= 0", name=name)
        found.append(numeric.ddl_if(dialect="postgresql"))
        exact = CheckConstraint(f"{column} NOT LIKE '-%'", name=name)
        found.append(exact.ddl_if(dialect="sqlite"))
    return found


def above_zero(*columns: str) -> list[Constraint]:
    """Numbers that must be above zero."""
    found: list[Constraint] = []
    for column in columns:
        name = f"{column}_above_zero"
        numeric = CheckConstraint(f"{column} > 0", name=name)
        found.append(numeric.ddl_if(dialect="postgresql"))
        exact = CheckConstraint(f"{column} NOT LIKE '-%' AND {column} <> '{_ZERO}'", name=name)
        found.append(exact.ddl_if(dialect="sqlite"))
    return found


def at_most(column: str, bound: str) -> list[Constraint]:
    """One non-negative number is at most another one (as text: by length, then by digits)."""
    name = f"{column}_at_most_{bound}"
    return [
        CheckConstraint(f"{column} <= {bound}", name=name).ddl_if(dialect="postgresql"),
        CheckConstraint(
            f"length({column}) < length({bound}) "
            f"OR (length({column}) = length({bound}) AND {column} <= {bound})",
            name=name,
        ).ddl_if(dialect="sqlite"),
    ]
