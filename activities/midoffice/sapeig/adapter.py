"""Sapeig behind the interface of all mid-offices (contracts: midoffice 6.2)."""

from __future__ import annotations

import httpx

from activities.midoffice.adapter import MidOfficeAdapter
from activities.midoffice.codec import Announce, AnnouncePayment, Question
from activities.midoffice.one_call import OneCallAdapter
from activities.midoffice.sapeig.codec import OPERATIONS, SapeigCodec, deed_of
from activities.midoffice.sapeig.settings import SapeigSettings
from activities.midoffice.web import Route, Web

SYSTEM = "sapeig"


def open_sapeig(settings: SapeigSettings, transport: httpx.BaseTransport | None = None) -> MidOfficeAdapter:
    """One agency's account at Sapeig."""
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    web = Web(SYSTEM, settings, path="/ws/xft", headers=headers, transport=transport)
    return OneCallAdapter(SYSTEM, settings, web, SapeigCodec(settings), route)


def route(question: Question) -> Route:
    """One operation per purpose and code, all at one address."""
    operation = deed_of(question).operation
    write = isinstance(question, Announce | AnnouncePayment)
    return Route(operation, write, headers={"SOAPAction": f'"{OPERATIONS}#{operation}"'})
