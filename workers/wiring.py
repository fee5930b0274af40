"""From settings to running parts: the one place that knows every adapter (DESIGN section 3)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from temporalio.client import Client

from activities.accounting.activities import JournalActivities
from activities.accounting.settings import JournalSettings
from activities.giav.activities import GiavAccount, GiavActivities
from activities.giav.client import GiavClient
from activities.giav.settings import GiavSettings
from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.adapter import MidOfficeAccount, open_account
from activities.midoffice.settings import MidOfficeSettings
from activities.office.desk import DeskActivities
from activities.office.plans import PlanActivities
from activities.platform.activities import PlatformAccount, PlatformActivities
from activities.tamara.activities import TamaraAccount, TamaraActivities
from activities.tamara.settings import TamaraSettings
from domain.naming import Queue
from store import Store
from store.installation import Installation, SettingsError

Settings = TypeVar("Settings", bound=BaseModel)
