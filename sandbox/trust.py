"""Whom the stand-ins believe when they call somebody themselves."""

from __future__ import annotations

import functools
import ssl

import httpx


@functools.cache
def authorities() -> ssl.SSLContext:
    """For all calls of this process: reading the authorities takes longer than the call."""
    return httpx.create_ssl_context()
