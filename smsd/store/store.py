"""The store: its parts on one database."""

from collections.abc import Sequence

from smsd.model.message import Guard
from smsd.store.arrivals import Arrivals
from smsd.store.bars import BarLog
from smsd.store.calls import CallLog
from smsd.store.commands import CommandRuns
from smsd.store.contacts import Contacts
from smsd.store.database import Database
from smsd.store.doubts import Doubts
from smsd.store.erasure import Erasure
from smsd.store.groups import PhoneGroups
from smsd.store.once import Answers
from smsd.store.outgoing import Outgoing
from smsd.store.pauses import Pauses
from smsd.store.registry import Registry
from smsd.store.reports import Reports
from smsd.store.retention import Retention
from smsd.store.stops import Stops
from smsd.store.views import Views
from smsd.store.webhooks import Webhooks


class Store:
    """Everything durable. It knows no phone and no protocol; decisions are passed in."""

    def __init__(self, database: Database, guards: Sequence[Guard] = ()) -> None:
        self.registry = Registry(database)
        self.outgoing = Outgoing(database, guards)
        self.contacts = Contacts(database)
        self.retention = Retention(database)
        self.erasure = Erasure(database)
        self.reports = Reports(database)
        self.arrivals = Arrivals(database)
        self.calls = CallLog(database)
        self.stops = Stops(database)
        self.commands = CommandRuns(database)
        self.webhooks = Webhooks(database)
        self.bars = BarLog(database)
        self.phone_groups = PhoneGroups(database)
        self.views = Views(database)
        self.doubts = Doubts(database)
        self.pauses = Pauses(database)
        self.answers = Answers(database)
