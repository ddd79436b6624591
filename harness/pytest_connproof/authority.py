"""A certificate authority that lives as long as its folder, and vouches for whatever host it is asked for.

Code whose host is fixed speaks HTTPS to that host: it is answered on loopback with a certificate of this authority,
which it must be told to trust. The authority's own key is never written.
"""

from __future__ import annotations

import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority"]

_NAME: Final = "connproof, for one run"
_MARGIN: Final = timedelta(days=1)  # for clocks that disagree; a run is shorter


class Authority:
    """Makes its certificate, `certificate` (PEM), in a folder; then one for each host, at first use."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "ca.pem"
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._own = self._signed(_NAME, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0))
        self.certificate.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, host: str) -> ssl.SSLContext:
        """What a server needs to speak as this host: a name, or an address without brackets."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._made(host)
            return self._contexts[host]

    def _made(self, host: str) -> ssl.SSLContext:
        name: x509.GeneralName = x509.DNSName(host)
        with suppress(ValueError):
            name = x509.IPAddress(ip_address(host))
        leaf = self._signed(
            "connproof",  # a host may be longer than a name may be; only the alternative name counts
            self._leaf_key.public_key(),
            x509.BasicConstraints(ca=False, path_length=None),
            x509.SubjectAlternativeName([name]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
        )
        key = self._leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"host-{len(self._contexts)}.pem"
        file.write_bytes(key + leaf.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        constraints: x509.BasicConstraints,
        *others: x509.ExtensionType,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _MARGIN)
            .not_valid_after(now + _MARGIN)
            .add_extension(constraints, critical=True)
            .add_extension(_usage(signs=constraints.ca), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )
        for other in others:
            builder = builder.add_extension(other, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _usage(*, signs: bool) -> x509.KeyUsage:
    """What a key is for: signing certificates, or speaking TLS."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
