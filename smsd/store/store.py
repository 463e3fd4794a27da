"""The store: its parts on one database."""

from smsd.store.arrivals import Arrivals
from smsd.store.calls import CallLog
from smsd.store.campaigns import Campaigns
from smsd.store.contacts import Contacts
from smsd.store.database import Database
from smsd.store.erasure import Erasure
from smsd.store.outgoing import Outgoing
from smsd.store.registry import Registry
from smsd.store.reports import Reports
from smsd.store.retention import Retention
from smsd.store.views import Views


class Store:
    """Everything durable. It knows no phone and no protocol; decisions are passed in."""

    def __init__(self, database: Database) -> None:
        self.registry = Registry(database)
        self.outgoing = Outgoing(database)
        self.campaigns = Campaigns(database)
        self.contacts = Contacts(database)
        self.retention = Retention(database)
        self.erasure = Erasure(database)
        self.reports = Reports(database)
        self.arrivals = Arrivals(database)
        self.calls = CallLog(database)
        self.views = Views(database)
