"""Random values of the SMS standards, for the property tests."""

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from smsd.gsm import (
    Absolute,
    Address,
    Alphabet,
    Command,
    Concatenation,
    DataCoding,
    Deliver,
    DeliverReport,
    Enhanced,
    InformationElement,
    NumberingPlan,
    Ports,
    Relative,
    Status,
    StatusReport,
    Submit,
    SubmitReport,
    TypeOfNumber,
    UserData,
)
from smsd.gsm.alphabet import to_septets, to_text
from smsd.gsm.header import encode as header_of
from smsd.gsm.tables import LOCKING, SINGLE, grid

octet = st.integers(0, 255)
octets = st.binary(max_size=180)
DEFAULT = "".join(grid(LOCKING[0]).values())
EXTENSION = "".join(grid(SINGLE[0]).values())
gsm_text = st.text(st.sampled_from(DEFAULT + EXTENSION))
numbers = st.builds(
    Address,
    st.text(st.sampled_from("0123456789*#abc"), max_size=20),
    st.sampled_from([ton for ton in TypeOfNumber if ton is not TypeOfNumber.ALPHANUMERIC]),
    st.sampled_from(NumberingPlan),
)
names = st.builds(
    Address,
    st.text(st.sampled_from(DEFAULT + EXTENSION), max_size=11).filter(
        lambda text: len(to_septets(text) or b"") <= 11
    ),
    st.just(TypeOfNumber.ALPHANUMERIC),
    st.sampled_from(NumberingPlan),
)
addresses = st.one_of(numbers, names)
zones = st.integers(-79, 79).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
times = st.datetimes(datetime(1990, 1, 1), datetime(2089, 12, 31), timezones=zones).map(  # noqa: DTZ001
    lambda time: time.replace(microsecond=0)
)
maybe_times = st.none() | times
codings = st.builds(DataCoding, octet)
concatenations = st.builds(
    lambda wide, reference, total, number: Concatenation(
        reference if wide else reference & 0xFF, max(total, number), number, wide
    ),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(1, 255),
    st.integers(1, 255),
)
ports = st.one_of(
    st.builds(Ports, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.just(True)),
    st.builds(Ports, octet, octet, st.just(False)),
)
elements = st.one_of(
    concatenations.map(lambda tie: tie.element),
    ports.map(lambda pair: pair.element),
    st.builds(InformationElement, st.sampled_from([0x24, 0x25]), st.binary(min_size=1, max_size=1)),
    st.builds(InformationElement, octet, st.binary(max_size=12)),
)
headers = st.lists(elements, max_size=4).map(header_of)


@st.composite
def user_data(draw: st.DrawFn, coding: DataCoding | None = None) -> UserData:
    """User data of any coding, with and without a header, up to 140 octets."""
    coding = draw(codings) if coding is None else coding
    header = draw(headers | st.just(b"\0"))
    if coding.alphabet is Alphabet.GSM7 and not coding.compressed:
        room = (140 - len(header)) * 8 // 7
        septets = draw(st.lists(st.integers(0, 127), max_size=room))
        return UserData.of_septets(bytes(septets), coding, header)
    return UserData.of_octets(draw(st.binary(max_size=140 - len(header))), coding, header)


relatives = st.builds(Relative, octet)
validities = st.one_of(
    st.none(),
    relatives,
    st.builds(Absolute, maybe_times),
    st.builds(Enhanced, st.binary(min_size=7, max_size=7)),
)


@st.composite
def delivers(draw: st.DrawFn) -> Deliver:
    content = draw(user_data())
    return Deliver(
        draw(addresses),
        draw(octet),
        content.coding,
        draw(maybe_times),
        content,
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([0, 0x10])),
    )


@st.composite
def submits(draw: st.DrawFn) -> Submit:
    content = draw(user_data())
    return Submit(
        draw(addresses),
        content,
        reference=draw(octet),
        pid=draw(octet),
        coding=content.coding,
        validity=draw(validities),
        reject_duplicates=draw(st.booleans()),
        report_requested=draw(st.booleans()),
        reply_path=draw(st.booleans()),
    )


@st.composite
def parameters(draw: st.DrawFn) -> tuple[int | None, DataCoding | None, UserData | None]:
    coding = draw(st.none() | codings)
    content = draw(st.none() | user_data(coding or DataCoding(0)))
    return draw(st.none() | octet), coding, content


@st.composite
def status_reports(draw: st.DrawFn) -> StatusReport:
    pid, coding, content = draw(parameters())
    return StatusReport(
        draw(octet),
        draw(addresses),
        draw(maybe_times),
        draw(maybe_times),
        Status(draw(octet)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([0, 0x10, 0x80, 0x90])),
        pid,
        coding,
        content,
    )


causes = st.none() | st.integers(0x80, 0xFF)
spares = st.integers(0, 255).map(lambda bits: bits & 0xBC)


@st.composite
def deliver_reports(draw: st.DrawFn) -> DeliverReport:
    return DeliverReport(draw(causes), *draw(parameters()), draw(spares))


@st.composite
def submit_reports(draw: st.DrawFn) -> SubmitReport:
    return SubmitReport(draw(maybe_times), draw(causes), *draw(parameters()), draw(spares))


@st.composite
def commands(draw: st.DrawFn) -> Command:
    return Command(
        draw(addresses),
        draw(octet),
        draw(octet),
        draw(st.binary(max_size=156)),
        draw(octet),
        draw(octet),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(octet) & 0x9C,
    )


from_sc = st.one_of(delivers(), status_reports(), submit_reports())
from_ms = st.one_of(submits(), deliver_reports(), commands())


def text_of(septets: bytes) -> str:
    return to_text(septets)
