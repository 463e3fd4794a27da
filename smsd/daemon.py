"""The composition root: builds everything, runs it in one TaskGroup, ends it in order."""

import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Final

from smsd import __version__, kernel, memory
from smsd.adapters.cloud.adapter import CloudAdapter
from smsd.adapters.cloud.smsmode import Smsmode
from smsd.adapters.contract import Adapter
from smsd.adapters.devices import source
from smsd.adapters.hotplug import Hotplug, Newcomer, Wanted
from smsd.adapters.modem.adapter import ModemAdapter, ModemSettings
from smsd.adapters.modem.calls import Calls
from smsd.adapters.modem.catalogue import load as load_catalogue
from smsd.adapters.modem.profiles import load as load_profiles
from smsd.adapters.modem.where import Where
from smsd.adapters.supervisor import supervise
from smsd.api.auth import Doorkeeper, Key
from smsd.api.server import application, serving, tcp_socket, unix_socket
from smsd.config import (
    NAMES_OF_A_MODEM,
    AnyPhone,
    Config,
    LimitSection,
    ModemSection,
    limits_of,
    local_zone,
    missing_programs,
)
from smsd.dispatch.balance import Balances
from smsd.dispatch.bars import keep_bars
from smsd.dispatch.clock import Clock
from smsd.dispatch.commands import Commands
from smsd.dispatch.gateway import Gateway
from smsd.dispatch.inbox import Inbox, Reactions, join
from smsd.dispatch.keeping import Keeping
from smsd.dispatch.outbox import Outbox
from smsd.dispatch.persist import persist
from smsd.dispatch.phones import Direction, Phone, Phones
from smsd.dispatch.selftest import SelfTest
from smsd.dispatch.startpoints import window_start
from smsd.dispatch.webhooks import Webhooks
from smsd.logs import fields
from smsd.model.hours import window
from smsd.model.message import Guard
from smsd.model.phone import BalanceRule, Health, Limit, PhoneId, PhoneRecord
from smsd.rules import drafts_of, programs_of, rules_of, secrets_of, unanswered
from smsd.store.database import Database, StoreUnavailable
from smsd.store.integrity import look_at_all
from smsd.store.registry import LOCAL_ACCOUNT
from smsd.store.store import Store
from smsd.store.webhooks import Webhook
from smsd.systemd import Notifier, handed_over, watchdog_interval

log: Final = logging.getLogger(__name__)

STATUS_EVERY: Final = 10.0  # seconds between status lines
HOUSEKEEPING: Final = 600.0  # seconds between looks for long messages that never became whole
FOUND_KEPT: Final = timedelta(days=30)  # a modem that was found is waited for so long
RESEND_AFTER: Final = 120.0
"""Seconds that a late answer or a report has before ``on_uncertain = "resend"`` sends again."""
EXCHANGE: Final = 150.0  # seconds that an exchange on the wire may take to end before we do


MakeModem = Callable[[Where, ModemSettings], ModemAdapter]


class AlreadyRunning(Exception):
    """Another smsd has this database; the message names its pid."""


def wall() -> datetime:
    """What the system's clock says, in UTC."""
    return datetime.now(UTC)


@contextmanager
def locked(database: str) -> Iterator[None]:
    """Hold the lock that keeps a second smsd off this database; raises `AlreadyRunning`."""
    path = Path(database + ".lock")
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = file.read().strip() or "unknown"
            raise AlreadyRunning(f"smsd is already running (pid {pid}) with {database}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def run(config: Config) -> None:
    """Run until SIGTERM or SIGINT.

    Raises `AlreadyRunning`, `StoreUnavailable`, or `OSError` where a socket cannot be had.
    """
    memory.share_one_heap()
    Path(config.store.path).resolve().parent.mkdir(parents=True, exist_ok=True)
    with locked(config.store.path):
        old = os.umask(0o077)  # messages are nobody else's to read
        clock = Clock(wall, kernel.steady, kernel.synchronised)
        try:
            database = Database(config.store.path, clock.now)
        finally:
            os.umask(old)
        try:
            asyncio.run(_main(config, database, clock))
        finally:
            database.close()


def guards(config: Config) -> list[Guard]:
    """What no recipient gets more of, by the configuration."""
    rules = [("flood", config.dispatch.flood, False), ("loop", config.dispatch.loop, True)]
    return [
        Guard(name, limit.volume, limit.startpoint, partial(_since, limit, config.zone), same_text)
        for name, limit, same_text in rules
        if limit is not None
    ]


def _since(limit: LimitSection, zone: tzinfo, at: datetime) -> datetime:
    return window_start(limit.startpoint, at, zone)


async def _main(config: Config, database: Database, clock: Clock) -> None:
    memory.give_back_large_blocks()
    store, now = Store(database, guards(config)), clock.now
    last = await store.registry.newest_time()
    if last is not None:
        clock.not_before(last)
    notifier = Notifier()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(  # its default would end us without a word
        signal.SIGHUP, log.warning, "a changed configuration needs a restart in this version"
    )
    for words in missing_programs(config):
        log.warning("a program is missing", extra=fields(reason=words))
    directions = [Direction(r.prefix, r.phone, r.operator) for r in config.dispatch.routes]
    await store.registry.configure_prefixes([direction.prefix for direction in directions])
    bars = await store.bars.all()
    phones = Phones(now, config.zone, lambda: outbox.wake(), directions, bars)
    outbox = Outbox(store, phones, clock, paused=config.dispatch.paused)
    profiles = load_profiles(Path(config.modem.profiles))

    def modem(where: Where, settings: ModemSettings) -> ModemAdapter:
        return ModemAdapter(where, settings, profiles)

    hotplug = Hotplug(
        source(),
        load_catalogue(config.modem.profiles),
        adopt=(lambda newcomer: adopt(newcomer)) if config.modem.auto else None,
    )
    configured = await _phones(config, store, hotplug, modem, now())
    await store.registry.resend_after({r.id: r.resend_after for r, _ in configured})
    recovered = await store.outgoing.recover()
    if any(recovered.values()):
        log.warning(
            "messages were on their way when smsd ended",
            extra=fields(**{str(state): count for state, count in recovered.items()}),
        )
    disabled = await store.registry.disabled_phones()
    for record, adapter in configured:
        phones.add(record, adapter, disabled=record.id in disabled)
        if record.resend_after is not None:
            log.warning(
                "what this phone leaves in doubt is sent again: recipients may get messages twice",
                extra=fields(phone=record.name),
            )
    keys = [
        Key(
            await store.registry.account(user.name),
            user.api_key,
            user.suspended,
            user.name,
            local_zone(user.timezone) if user.timezone else None,
            user.priority,
        )
        for user in config.user
    ]
    webhooks = await _webhooks(config, store, keys, now)
    dispatch = config.dispatch
    gateway = Gateway(
        store, phones, outbox, now, config.zone, dispatch.validity, hotplug, webhooks,
        sticky=dispatch.sticky,
    )  # fmt: skip
    await gateway.mind_pauses()
    if outbox.paused:
        log.warning("sending is paused: everything is kept, nothing leaves")
    rules = rules_of(
        config,
        phones,
        config.api.default_region,
        keys[0].account if keys else LOCAL_ACCOUNT,
        config.dispatch.validity,
    )
    commands = Commands(store, programs_of(config), rules, config.zone, outbox.wake)

    def reacted() -> None:
        outbox.wake()  # there may be an answer
        if config.command:
            commands.wake()

    reactions = Reactions(rules.react, reacted)
    app = application(gateway, Doorkeeper(keys, config.api.local_users), config.api.default_region)
    handed = handed_over()
    own_socket = not handed
    async with (
        kernel.clock_watched(outbox.wake),
        serving(app, _sockets(config, handed)),
        asyncio.TaskGroup() as group,
    ):
        sending = group.create_task(outbox.run(), name="outbox")
        serving_phones: list[asyncio.Task[None]] = []
        selftest = SelfTest(gateway)

        def serve(phone: Phone) -> None:
            if not phone.disabled:
                name, sink = phone.record.name, Inbox(phone, phones, store, reactions)
                for kind, life in (
                    ("phone", supervise(name, phone.adapter, sink, hotplug.moved(name))),
                    ("selftest", selftest.watch(phone)),
                ):
                    serving_phones.append(group.create_task(life, name=f"{kind}-{name}"))

        async def adopt(newcomer: Newcomer) -> None:
            record, wanted = await adopted(newcomer, phones, store)
            if record.id not in phones:
                adapter = modem(hotplug.where(record.name, wanted), ModemSettings())
                off = await persist(store.registry.disabled_phones)
                phone = phones.add(record, adapter, disabled=record.id in off)
                await persist(gateway.mind_pauses)
                serve(phone)

        for phone in phones.all():
            serve(phone)
        retention = Keeping(
            store, phones, now, config.keep.periods, guards(config), clock.sure, unanswered(config)
        )
        keeping = [
            group.create_task(hotplug.run(), name="hotplug"),
            group.create_task(_remember(phones, store), name="modems"),
            group.create_task(keep_bars(phones, store), name="bars"),
            group.create_task(_live(notifier), name="watchdog"),
            group.create_task(_tell(notifier, gateway), name="status"),
            group.create_task(_keep_house(store), name="housekeeping"),
            group.create_task(_check(database), name="integrity"),
            group.create_task(Balances(phones, now).run(), name="balances"),
            group.create_task(retention.run(), name="keeping"),
            group.create_task(commands.run(), name="commands"),
            group.create_task(webhooks.run(), name="webhooks"),
        ]
        memory.trim()
        notifier.ready()
        log.info("smsd is ready", extra=fields(version=__version__, phones=len(phones.all())))
        await stop.wait()
        notifier.stopping()
        log.info("smsd is stopping")
        outbox.stop()  # what is on the wire is finished first
        try:
            async with asyncio.timeout(EXCHANGE):
                await asyncio.wait([sending])
        except TimeoutError:
            sending.cancel()
        for task in (*serving_phones, *keeping):
            task.cancel()
    with suppress(StoreUnavailable):
        await store.registry.note_time()  # a clock that says less after the next start is wrong
    if own_socket:
        os.unlink(config.api.socket)


def _sockets(config: Config, handed: list[socket.socket]) -> list[socket.socket]:
    """The sockets that systemd handed over, else our own; and TCP where configured."""
    sockets = handed
    if not sockets:
        Path(config.api.socket).resolve().parent.mkdir(parents=True, exist_ok=True)
        sockets = [unix_socket(config.api.socket)]
    return sockets + [tcp_socket(address) for address in config.api.listen]


async def _phones(
    config: Config, store: Store, hotplug: Hotplug, modem: MakeModem, now: datetime
) -> list[tuple[PhoneRecord, Adapter]]:
    """The configured phones, with the ids that the store knows them by, and those found before."""
    rows = [
        (phone.name, _kind(phone), _shown_data(phone), phone.priority) for phone in config.phone
    ]
    imeis = {
        phone.name: phone.imei
        for phone in config.phone
        if isinstance(phone, ModemSection) and phone.imei
    }
    ids = await store.registry.configure_phones(rows, imeis)
    phones: list[tuple[PhoneRecord, Adapter]] = [
        (_record(id_, phone, adapter := _adapter(phone, hotplug, modem)), adapter)
        for id_, phone in zip(ids, config.phone, strict=True)
    ]
    if config.modem.auto:
        for id_, name, imei in await store.registry.found_phones(now - FOUND_KEPT):
            where = hotplug.where(name, Wanted(imei=imei, found=True))
            phones.append((PhoneRecord(id_, name, "modem"), modem(where, ModemSettings())))
    return phones


def _kind(phone: AnyPhone) -> str:
    return "modem" if isinstance(phone, ModemSection) else "smsmode"


def _shown_data(phone: AnyPhone) -> str:
    """RaspiSMS's ``adapter_data``: where the phone is and whence it comes, without secrets."""
    where = (
        {key: getattr(phone, key) for key in NAMES_OF_A_MODEM if getattr(phone, key)}
        if isinstance(phone, ModemSection)
        else {"base_url": phone.base_url}
    )
    return json.dumps({"source": "file", **where})


def _record(id_: PhoneId, phone: AnyPhone, adapter: Adapter) -> PhoneRecord:
    return PhoneRecord(
        id=id_,
        name=phone.name,
        adapter=_kind(phone),
        priority=phone.priority,
        limits=_limits(phone),
        fallback=phone.fallback,
        fallback_on=frozenset(Health(reason) for reason in phone.fallback_on),
        unavailable_grace=phone.unavailable_grace,
        cloud=adapter.capabilities.cloud,
        voice=adapter.capabilities.voice,
        flash=adapter.capabilities.flash,
        mms=adapter.capabilities.mms,
        number=phone.number if isinstance(phone, ModemSection) else None,
        selftest_interval=phone.selftest_interval if isinstance(phone, ModemSection) else 0.0,
        balance=_balance(phone),
        validity=phone.validity,
        send_windows=tuple(window(hours.days, hours.hours) for hours in phone.send_windows),
        resend_after=RESEND_AFTER if phone.on_uncertain == "resend" else None,
    )


def _limits(phone: AnyPhone) -> tuple[Limit, ...]:
    """Those on messages in the phone's own unit, that on cost in parts: they are what is paid."""
    by_message = phone.limit_unit == "messages"
    cost = limits_of(phone)[len(phone.limits) :]
    return (
        *(Limit(limit.volume, limit.startpoint, by_message) for limit in phone.limits),
        *(Limit(limit.volume, limit.startpoint) for limit in cost),
    )


def _balance(phone: AnyPhone) -> BalanceRule | None:
    rule = phone.balance if isinstance(phone, ModemSection) else None
    if rule is None:
        return None
    return BalanceRule(rule.ussd, rule.pattern, rule.every, rule.low)


def _adapter(phone: AnyPhone, hotplug: Hotplug, modem: MakeModem) -> Adapter:
    if isinstance(phone, ModemSection):
        wanted = Wanted(phone.imei, phone.iccid, phone.usb_path, phone.device)
        settings = ModemSettings(
            baud=phone.baud,
            pin=phone.pin,
            smsc=phone.smsc,
            send_timeout=phone.send_timeout,
            power_cycle=phone.power_cycle or (),
            calls=Calls(phone.calls),
            iccid=phone.iccid,
            profile=phone.profile,
        )
        return modem(hotplug.where(phone.name, wanted), settings)
    return CloudAdapter(Smsmode(phone.access_token, phone.base_url, phone.sender))


async def _webhooks(
    config: Config, store: Store, keys: list[Key], now: Callable[[], datetime]
) -> Webhooks:
    """The receivers of events; without a secret an account's API key signs, as in RaspiSMS."""
    accounts = {user.name: key.account for user, key in zip(config.user, keys, strict=True)}
    await store.webhooks.configure(drafts_of(config, accounts.__getitem__))
    secrets = secrets_of(config)
    api_keys = {key.account: key.api_key for key in reversed(keys)}
    own = keys[0].account if keys else None

    def secret(hook: Webhook) -> str | None:
        account = own if hook.account is None else hook.account
        found = secrets.get(hook.name) if hook.name is not None else None
        return found or (api_keys.get(account) if account is not None else None)

    return Webhooks(store, now, config.zone, secret)


async def adopted(newcomer: Newcomer, phones: Phones, store: Store) -> tuple[PhoneRecord, Wanted]:
    """The phone that a modem becomes which nobody has configured, and how it is known again."""
    imei, iccid = newcomer.identity.imei, newcomer.identity.iccid
    if imei is not None:
        names = [f"modem-{imei[:15][-length:]}" for length in (6, 8, 15)]
        wanted = Wanted(imei=imei, found=True)
    elif iccid is not None:
        names, wanted = [f"modem-sim-{iccid[-6:]}"], Wanted(iccid=iccid, found=True)
    else:
        names = [f"modem-usb-{newcomer.usb_path}"]
        wanted = Wanted(usb_path=newcomer.usb_path, found=True)
    taken = {int(phone.record.id) for phone in phones.all()}
    data = json.dumps({"source": "found", "model": newcomer.name})
    id_, name = await persist(lambda: store.registry.adopt_phone(names, imei, data, taken))
    log.info("a modem that nobody has configured is a phone now", extra=fields(phone=name))
    return PhoneRecord(id_, name, "modem"), wanted


async def _remember(phones: Phones, store: Store) -> None:
    """Keep by which modem each phone is known."""
    told: asyncio.Queue[tuple[PhoneId, str]] = asyncio.Queue()

    def identified(phone: Phone, imei: str) -> None:
        # Some makers give many modems one IMEI: the phone that works with it keeps it.
        if not any(
            other is not phone
            and other.health is Health.AVAILABLE
            and other.facts.get("imei") == imei
            for other in phones.all()
        ):
            told.put_nowait((phone.record.id, imei))

    phones.identified = identified
    while True:
        phone, imei = await told.get()
        await persist(partial(store.registry.remember_modem, phone, imei))


async def _live(notifier: Notifier) -> None:
    """Feed the watchdog: it tells that this loop turns, and nothing of disk or modems."""
    interval = watchdog_interval()
    while interval is not None:
        notifier.alive()
        await asyncio.sleep(interval)


async def _tell(notifier: Notifier, gateway: Gateway) -> None:
    """Keep the line of ``systemctl status`` true."""
    while True:
        notifier.status(await gateway.line())
        await asyncio.sleep(STATUS_EVERY)


async def _check(database: Database) -> None:
    """Look at what there was no time for at the start; a damaged file is written to no more."""
    if database.checked:
        return
    stopping = threading.Event()
    try:
        found = await asyncio.to_thread(look_at_all, database.path, stopping.is_set)
    finally:
        stopping.set()
    if found is None:
        log.info("the whole database was checked and is sound")
    else:
        database.broken = found
        log.error("nothing is stored or sent any more", extra=fields(reason=found))


async def _keep_house(store: Store) -> None:
    """What time alone brings about; where nothing has changed and nothing is awaited, nothing."""
    seen, awaited = -1, True
    while True:
        try:
            if awaited or store.views.changes != seen:
                for received in await store.arrivals.give_up_series(join):
                    log.warning("a long message stayed incomplete", extra=fields(received=received))
                awaited = await store.arrivals.are_awaited()
                seen = store.views.changes
        except StoreUnavailable as error:
            log.error("nothing can be stored", extra=fields(error=str(error)))
        await asyncio.sleep(HOUSEKEEPING)
