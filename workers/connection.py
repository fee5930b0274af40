"""The connection to Temporal that every process of ours has: address, namespace, TLS, key and how payloads are written."""

from __future__ import annotations

from pathlib import Path

from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import TLSConfig

from store.installation import Installation, TlsSettings
from workers.codec import converter_of
from workers.console_links import ConsoleLinks
from workers.fairness import Fairness


async def connect(installation: Installation, *, runtime: Runtime | None = None) -> Client:
    """A client that speaks our models. `runtime` carries the metrics of a long process.

    Raises `RuntimeError` when nobody answers at the address or TLS cannot be agreed on, `OSError` for a certificate that has gone.
    """
    settings = installation.temporal
    return await Client.connect(
        settings.target,
        namespace=settings.namespace,
        data_converter=converter_of(installation),
        tls=_tls(settings.tls) if settings.tls is not None else False,
        api_key=settings.api_key.get_secret_value() if settings.api_key is not None else None,
        runtime=runtime,
        interceptors=[Fairness(), ConsoleLinks(installation.console.url)],
    )


def _tls(settings: TlsSettings) -> TLSConfig:
    def pem(path: Path | None) -> bytes | None:
        return path.read_bytes() if path is not None else None

    return TLSConfig(
        server_root_ca_cert=pem(settings.ca),
        client_cert=pem(settings.certificate),
        client_private_key=pem(settings.key),
        domain=settings.server_name,
    )
