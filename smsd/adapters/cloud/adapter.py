"""The adapter around every provider's codec: it alone opens connections.

Only what is proven not sent may go elsewhere: a request that no connection was made for. From
the first octet on, whatever is not a clear answer leaves the message in doubt.
"""

import asyncio
from typing import Final

import aiohttp
from yarl import URL

from smsd.adapters.cloud.codec import Provider, Reply, Request
from smsd.adapters.cloud.lookup import found
from smsd.adapters.contract import (
    Capabilities,
    PhoneError,
    Progress,
    Sink,
    Submission,
    Unavailable,
    Uncertain,
)
from smsd.model.events import Awaited, LateAnswer
from smsd.model.message import Fault, FaultClass
from smsd.model.phone import Health

CONNECT_TIMEOUT: Final = 5.0  # seconds
READ_TIMEOUT: Final = 60.0  # seconds; a short one makes doubt where patience makes an answer
PROBE_FIRST: Final = 1.0  # seconds, doubling while it fails
PROBE_EVERY: Final = 300.0  # seconds between looks at the account
PATIENCE: Final = 3  # failed probes in a row before a provider counts as unavailable
POLL_FIRST: Final = 2.0  # seconds after sending that a report is first asked for
POLL_SLOWEST: Final = 3600.0
LONGEST_BODY: Final = 65_536  # octets; the answers that we read have less than a hundred
LONGEST_LIST: Final = 1 << 20  # octets of a list of messages
LOOKS: Final = (5.0, 30.0, 120.0)  # seconds before each look for what is in doubt
_PASSING: Final = (FaultClass.NETWORK, FaultClass.AMBIGUOUS)


class CloudAdapter:
    """A cloud account as a phone."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._session: aiohttp.ClientSession | None = None
        self._sink: Sink | None = None
        self._new = asyncio.Event()
        self._doubted = asyncio.Event()
        self._doubted.set()  # what was left in doubt before a restart
        self._failures = 0
        self._known = False

    @property
    def capabilities(self) -> Capabilities:
        """The provider's."""
        return self._provider.capabilities

    async def run(self, sink: Sink) -> None:
        """Watch the account and ask for delivery reports until cancelled."""
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=CONNECT_TIMEOUT,
            sock_connect=CONNECT_TIMEOUT,
            sock_read=READ_TIMEOUT,
        )
        # A kept-alive connection may be closed under a request: each sending has one of its own.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(
            timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            self._session, self._sink = session, sink
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch())
                    group.create_task(self._ask_for_reports(sink))
                    group.create_task(self._reconcile(sink))
            finally:
                self._session = None

    async def distrust(self) -> None:
        """A provider is not to be mended from here."""

    async def check(self) -> None:
        """Look at the account now."""
        if self._session is None or self._sink is None:
            return
        try:
            reply = await self._exchange(self._provider.probe())
            words = self._provider.standing(reply)
        except (Unavailable, Uncertain) as error:
            health = error.health if isinstance(error, Unavailable) else Health.UNAVAILABLE
            self._failures += 1
            if error.fault.kind not in _PASSING or self._failures >= PATIENCE or not self._known:
                self._sink.health(health, error.fault.words, hint=error.fault.hint)
        else:
            self._failures, self._known = 0, True
            self._sink.facts(account=words)
            self._sink.health(Health.AVAILABLE)

    async def send(self, submission: Submission, progress: Progress) -> None:
        """Send one message to one recipient, and keep the provider's id."""
        request = self._provider.submit(submission)
        await progress.begin(1, 1)
        try:
            reply = await self._exchange(request)
            reference = self._provider.receipt(reply)
        except Uncertain:
            self._doubted.set()
            raise
        await progress.complete(1, reference)
        self._new.set()

    async def _exchange(self, request: Request, longest: int = LONGEST_BODY) -> Reply:
        """One request, no redirect, no repetition; an answer of at most ``longest`` octets.

        Raises `Unavailable` if no connection came about, `Uncertain` once one did and no complete
        answer came. Neither tells the URL: it may carry a key.
        """
        if self._session is None:
            raise Unavailable(Fault(FaultClass.NETWORK, "the provider's adapter is not running"))
        url = self._provider.base_url.rstrip("/") + "/" + request.path
        body = request.form if request.method == "POST" else None
        if body is None:
            url += "?" + request.form.decode("ascii")
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        target = _verbatim(url)
        try:
            async with self._session.request(
                request.method, target, data=body, headers=headers, allow_redirects=False
            ) as response:
                content = b""
                async for piece in response.content.iter_any():
                    content += piece
                    if len(content) > longest:
                        raise aiohttp.ClientPayloadError
                return Reply(response.status, content, response.charset)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            fault = Fault(FaultClass.NETWORK, f"no connection to the provider ({_name(error)})")
            raise Unavailable(fault, seconds=30.0) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            fault = Fault(
                FaultClass.AMBIGUOUS,
                f"the connection ended without a whole answer ({_name(error)}): it may have gone",
            )
            raise Uncertain(fault) from error

    async def _watch(self) -> None:
        """Look at the account, soon and often until it answers: at boot there may be no network."""
        pause = PROBE_FIRST
        while True:
            await self.check()
            settled = self._failures == 0
            pause = PROBE_EVERY if settled else min(2 * pause, PROBE_EVERY)
            await asyncio.sleep(pause)

    async def _ask_for_reports(self, sink: Sink) -> None:
        """Ask for each message's report, soon after it was sent and then less and less often."""
        loop = asyncio.get_running_loop()
        asked: dict[
            str, tuple[float, float]
        ] = {}  # id → when to ask next, and the pause after that
        while True:
            self._new.clear()  # before looking: what is sent meanwhile wakes us at once
            awaited = {item.reference: item for item in await sink.awaited()}
            asked = {key: value for key, value in asked.items() if key in awaited}
            for key, item in awaited.items():
                due, pause = asked.setdefault(key, (loop.time() + POLL_FIRST, 2 * POLL_FIRST))
                if due <= loop.time():
                    await self._report(sink, item)
                    asked[key] = (loop.time() + pause, min(2 * pause, POLL_SLOWEST))
            next_due = min((due for due, _ in asked.values()), default=None)
            try:
                async with asyncio.timeout_at(next_due and max(next_due, loop.time() + 0.1)):
                    await self._new.wait()
            except TimeoutError:
                pass

    async def _report(self, sink: Sink, item: Awaited) -> None:
        """Ask once; what is still awaited after that is asked for again."""
        try:
            report = self._provider.verdict(
                item, await self._exchange(self._provider.enquire(item))
            )
        except PhoneError:
            return
        if report is not None:
            await sink.reported(report)

    async def _reconcile(self, sink: Sink) -> None:
        """Look for what is in doubt among what the provider says it was given.

        Three times after the last doubt, for a list may lag; where it does not answer, until it
        has. What is not found stays in doubt.
        """
        request = self._provider.enquire_list()
        while request is not None:
            await self._doubted.wait()
            looks, pause = 0, LOOKS[0]
            while looks < len(LOOKS):
                self._doubted.clear()
                try:
                    async with asyncio.timeout(pause):
                        await self._doubted.wait()
                    looks, pause = 0, LOOKS[0]  # a new one
                    continue
                except TimeoutError:
                    pass
                doubts = await sink.doubts()
                if not any(not doubt.in_flight for doubt in doubts):
                    break
                try:
                    listed = self._provider.listed(await self._exchange(request, LONGEST_LIST))
                except PhoneError:
                    pause = min(2 * pause, POLL_SLOWEST)
                    continue
                # Asked anew: what was answered meanwhile has its id by now.
                doubts, bound = await sink.doubts(), await sink.bound([one.id for one in listed])
                for doubt, identifier in found(doubts, listed, bound).items():
                    await sink.answered_late(LateAnswer(doubt.attempt, doubt.part, identifier))
                    self._new.set()
                looks += 1
                pause = LOOKS[min(looks, len(LOOKS) - 1)]


def _verbatim(url: str) -> URL:
    """The URL as it is encoded already: its octets are not all UTF-8."""
    try:
        target = URL(url, encoded=True)
        if target.host and target.port:
            return target
    except ValueError:
        pass  # its own words would quote the URL
    raise Unavailable(Fault(FaultClass.CONFIGURATION, "base_url is no address"))


def _name(error: Exception) -> str:
    """What happened, without the URL that the library's own words quote."""
    cause = getattr(error, "os_error", None) or error
    return getattr(cause, "strerror", None) or type(error).__name__
