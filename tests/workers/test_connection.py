"""The connection to Temporal over TLS, with and without a certificate of ours, through a real TLS door before a real server."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from temporalio.client import Client

from store.installation import Installation, TemporalSettings, TlsSettings
from workers.connection import connect


@dataclass
class Authority:
    """A certificate authority of the test, which writes PEM files into `folder`."""

    folder: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
        self.certificate = self.folder / "ca.pem"
        own = self._build(self._name, self._key.public_key()).add_extension(x509.BasicConstraints(True, None), True)
        self.certificate.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key for `name` at 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(IPv4Address("127.0.0.1"))])
        signed = self._build(subject, key.public_key()).add_extension(names, False).sign(self._key, hashes.SHA256())
        certificate, private = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, private

    def _build(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(hours=1))
        )


@contextlib.asynccontextmanager
async def tls_door(authority: Authority, inside: str) -> AsyncIterator[str]:
    """A door with TLS 1.2+ that asks for a certificate of the authority; gives its address."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(*authority.issue("temporal.test"))
    host, _, port = inside.rpartition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(65536):
                writer.write(block)
                await writer.drain()
        writer.close()

    async def guest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))

    async with await asyncio.start_server(guest, "127.0.0.1", 0, ssl=context) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def installation(address: str, tls: TlsSettings | None) -> Installation:
    agency = {"name": "Viajes", "platform": {"source": "//platform.example/one"}}
    settings = TemporalSettings(address=address, tls=tls)
    return Installation.model_validate({"agencies": {"one": agency}}).model_copy(update={"temporal": settings})


async def test_a_certificate_of_ours_opens_the_door_of_mutual_tls(dev_server: Client, authority: Authority) -> None:
    certificate, key = authority.issue("worker.test")
    tls = TlsSettings(ca=authority.certificate, certificate=certificate, key=key, server_name="temporal.test")
    async with tls_door(authority, dev_server.service_client.config.target_host) as address:
        client = await connect(installation(address, tls))
        assert await client.service_client.check_health()


@pytest.mark.parametrize("believed", [True, False])
async def test_the_door_stays_shut_without_our_certificate_or_with_a_server_that_we_do_not_believe(
    dev_server: Client, authority: Authority, believed: bool, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    certificate, key = authority.issue("worker.test")
    tls = (
        TlsSettings(ca=authority.certificate, server_name="temporal.test")
        if believed
        else TlsSettings(ca=Authority(other).certificate, certificate=certificate, key=key, server_name="temporal.test")
    )
    async with tls_door(authority, dev_server.service_client.config.target_host) as address:
        with pytest.raises(RuntimeError):
            await connect(installation(address, tls))
