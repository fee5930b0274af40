"""The store: one database and its repositories, one attribute each (DESIGN 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from domain.desk import Desk
from store.added_figures import AddedFigures
from store.api_tokens import ApiTokens
from store.attention import Attention
from store.audit_trail import AuditTrail
from store.booking_lists import BookingLists
from store.clock import Clock, utc_now
from store.connectors import Connectors
from store.crm_tokens import CrmTokens
from store.database import Database
from store.deal_hooks import DealHooks
from store.documents import Documents
from store.effects import EffectLedger
from store.erasures import Erasures
from store.event_lists import EventLists
from store.facts import Facts
from store.inbox import Inbox
from store.integrations import Integrations
from store.journal import Journal
from store.journal_pages import JournalPages
from store.lifecycles import Lifecycles
from store.parked import ParkedItems
from store.payment_lists import PaymentLists
from store.payment_pages import PaymentPages
from store.payment_requests import PaymentRequests
from store.payment_sync import PaymentSyncs
from store.people import People
from store.people_sessions import PeopleSessions
from store.periods import Periods
from store.plan_calendar import PlanCalendar
from store.plan_orders import PlanOrders
from store.plan_pages import PlanPages
from store.privacy import Privacy
from store.pulses import Pulses
from store.receivables import Receivables
from store.reconciliations import Reconciliations
from store.restores import Restores
from store.standing import Standings
from store.statements import Statements
from store.subaccounts import Subaccounts
from store.sums import Sums
from store.supplier_feeds import SupplierFeeds
from store.supplier_orders import SupplierOrders
from store.tamara import TamaraLedger
from store.tamara_answers import TamaraAnswers
from store.tamara_contents import TamaraContents
from store.tamara_lists import TamaraLists
from store.tamara_prints import TamaraPrints
from store.tamara_stops import TamaraStops
from store.timelines import Timelines
from store.transfers import Transfers
from store.vault import Vault


class Store:
    """Safe for threads; every method of every repository is one short transaction.

    `desks` says per agency who answers for what, `master_key` (32 bytes) opens the vault; `retired_keys` still open what
    they sealed.
    """

    def __init__(
        self,
        database: Database,
        *,
        master_key: bytes | None = None,
        retired_keys: Sequence[bytes] = (),
        desks: Mapping[str, Desk] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.database = database
        self.parked = ParkedItems(database, clock, desks or {})
        self.effects = EffectLedger(database, clock, self.parked)
        self.inbox = Inbox(database, clock, self.parked)
        self.restores = Restores(database, clock)
        self.erasures = Erasures(database, clock)
        self.privacy = Privacy(database, self.erasures)
        self.facts = Facts(database)
        self.sums = Sums(database)
        self.added_figures = AddedFigures(database)
        self.receivables = Receivables(database)
        self.booking_lists = BookingLists(database)
        self.timelines = Timelines(database)
        self.plan_calendar = PlanCalendar(database)
        self.plan_pages = PlanPages(database)
        self.documents = Documents(database, clock)
        self.transfers = Transfers(database, clock)
        self.journal = Journal(database, clock)
        self.journal_pages = JournalPages(database)
        self.statements = Statements(database)
        self.standings = Standings(database, clock)
        self.periods = Periods(database, clock)
        self.subaccounts = Subaccounts(database)
        self.lifecycles = Lifecycles(database, clock)
        self.supplier_orders = SupplierOrders(database, clock)
        self.supplier_feeds = SupplierFeeds(database, clock)
        self.integrations = Integrations(database, clock)
        self.tamara = TamaraLedger(database, clock)
        self.tamara_answers = TamaraAnswers(database, clock)
        self.tamara_lists = TamaraLists(database)
        self.tamara_prints = TamaraPrints(database, clock)
        self.tamara_stops = TamaraStops(database, clock)
        self.vault = Vault(database, clock, master_key, retired_keys)
        self.crm_tokens = CrmTokens(database, clock, self.vault)
        self.deal_hooks = DealHooks(database, clock)
        self.tamara_contents = TamaraContents(database, clock, self.vault)
        self.plan_orders = PlanOrders(database, clock)
        self.payment_pages = PaymentPages(database, clock, self.vault)
        self.payment_requests = PaymentRequests(database, clock, self.payment_pages, self.parked)
        self.payment_sync = PaymentSyncs(database)
        self.connectors = Connectors(database, clock)
        self.reconciliations = Reconciliations(database, clock)
        self.audit_trail = AuditTrail(database, clock)
        self.people = People(database, clock, self.audit_trail)
        self.sessions = PeopleSessions(database, clock)
        self.api_tokens = ApiTokens(database, clock, self.audit_trail)
        self.attention = Attention(database)
        self.event_lists = EventLists(database)
        self.pulses = Pulses(database)
        self.payment_lists = PaymentLists(database)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        master_key: bytes | None = None,
        retired_keys: Sequence[bytes] = (),
        desks: Mapping[str, Desk] | None = None,
        clock: Clock = utc_now,
    ) -> Self:
        """Open the database of `url`; the schema is left as it is (see `Database.migrate`)."""
        return cls(Database.open(url), master_key=master_key, retired_keys=retired_keys, desks=desks, clock=clock)

    def close(self) -> None:
        self.database.close()
