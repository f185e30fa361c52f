"""What every test may rely on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# The same examples on every run and every machine, and no failure because a machine is slow.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci")


def on_ci() -> bool:
    """Whether a skipped test would hide something from the ones who rely on the result."""
    return os.environ.get("CI") == "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the long proofs to `make prove`, which sets ZVT_PROVE=1."""
    if os.environ.get("ZVT_PROVE") == "1":
        return
    skip = pytest.mark.skip(reason="long: run by `make prove`")
    for item in items:
        if item.get_closest_marker("prove"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data; tests that need it are skipped where it is absent.

    ZVT_SHARED_DATA names it; otherwise it is ../shared/data beside the repository.
    """
    folder = Path(os.environ.get("ZVT_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        # Beside a ../shared (or a ZVT_SHARED_DATA) the data is meant to be there.
        meant = "ZVT_SHARED_DATA" in os.environ or (ROOT.parent / "shared").exists()
        if on_ci() and meant:
            pytest.fail(f"no recorded market data in {folder}")
        pytest.skip(f"no recorded market data in {folder}")
    return folder


@pytest.fixture(autouse=True, scope="session")
def no_store_of_the_user() -> Iterator[None]:
    """No test trades in the store of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZVT_TRADING_DB_URL", "sqlite:///:memory:")
        yield
