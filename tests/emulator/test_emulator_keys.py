"""API keys, the certificate authority, and the clock of an emulated exchange."""

import ssl
from pathlib import Path
from stat import S_IMODE

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from zvt_trading.emulator.ca import Authority
from zvt_trading.emulator.clock import Clock
from zvt_trading.emulator.emulator import EXCHANGES
from zvt_trading.emulator.keys import ApiKey, new_key


class TestKeys:
    @pytest.mark.parametrize("exchange", EXCHANGES)
    def test_each_has_its_exchanges_form(self, exchange: str) -> None:
        """Coinbase signs with a curve, OKX has a passphrase; no two are the same."""
        first, second = new_key(exchange, "main"), new_key(exchange, can_withdraw=True)
        assert first.key != second.key
        assert first.secret != second.secret
        assert ("main", "default") == (first.account, second.account)
        assert (False, True) == (first.can_withdraw, second.can_withdraw)
        assert (exchange == "okx") == bool(first.passphrase)
        assert (exchange == "coinbase") == first.secret.startswith("-----BEGIN EC PRIVATE KEY")

    @pytest.mark.parametrize("exchange", EXCHANGES)
    def test_no_secret_is_shown(self, exchange: str) -> None:
        """Nor the whole key."""
        key = new_key(exchange)
        shown = repr(key)
        assert key.secret not in shown
        assert key.key not in shown
        assert not key.passphrase or key.passphrase not in shown

    def test_the_public_half_of_a_coinbase_key(self) -> None:
        """On the curve that its signatures are of."""
        assert new_key("coinbase").public_key().curve.name == "secp256r1"

    def test_a_key_of_another_kind_has_none(self) -> None:
        """The error shows no secret."""
        pem = (
            ed25519.Ed25519PrivateKey.generate()
            .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            .decode()
        )
        with pytest.raises(TypeError, match="the secret is no elliptic curve key") as caught:
            ApiKey(key="key", secret=pem).public_key()
        assert pem not in str(caught.value)


class TestAuthority:
    def test_clients_trust_it_for_its_names_only(self, tmp_path: Path) -> None:
        """The leaf is for the hosts, and signed by the authority that they are given."""
        made = Authority(tmp_path / "new", ["localhost", "api.okx.com"])
        leaf = x509.load_pem_x509_certificate(made.server_file.read_bytes())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert ["localhost", "api.okx.com"] == names.get_values_for_type(x509.DNSName)
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(made.ca_file.read_bytes()))
        assert isinstance(made.server_context(), ssl.SSLContext)

    def test_only_its_owner_reads_the_private_key(self, tmp_path: Path) -> None:
        """And clients get none at all."""
        made = Authority(tmp_path, ["localhost"])
        assert S_IMODE(made.server_file.stat().st_mode) & 0o077 == 0
        assert b"PRIVATE KEY" not in made.ca_file.read_bytes()


class TestClock:
    def test_it_always_rises(self) -> None:
        """No two things happen at once."""
        clock = Clock()
        times = [clock.true_ns() for _ in range(1_000)]
        assert sorted(set(times)) == times

    @pytest.mark.parametrize("skew_ms", [-5_000, 0, 5_000])
    def test_it_may_be_wrong(self, skew_ms: int) -> None:
        """By so much; the market lives by the truth."""
        clock = Clock()
        clock.skew_ns = skew_ms * 1_000_000
        before = clock.true_ns()
        said = clock.now_ms() - skew_ms
        assert before // 1_000_000 <= said <= clock.true_ns() // 1_000_000
