"""Which phone a message leaves by: every reason, and what holds for any phones at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsd.dispatch.route import health, route
from smsd.model.message import Decision, FaultClass, MessageId, Queued, Refuse, Route, Wait
from smsd.model.phone import Candidate, Health, Limit, PhoneId, PhoneRecord, Standing, Window
from smsd.store.lanes import any_of

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ON = frozenset(Health)


def message(number: int = 1, **more: Any) -> Queued:
    more.setdefault("parts", 1)
    return Queued(MessageId(number), more.pop("to", "+33612345678"), **more)


def phone(
    number: int,
    state: Health = Health.AVAILABLE,
    *,
    idle: int = 1,
    since: float = 3600,
    windows: tuple[tuple[int, int], ...] = (),
    by_message: bool = False,
    prefixes: tuple[str, ...] = (),
    groups: tuple[int, ...] = (),
    **record: Any,
) -> Candidate:
    """A phone with id ``number``; ``windows`` are (used, volume), times seconds ago or ahead."""
    record.setdefault("name", f"{'cloud' if record.get('cloud') else 'gsm'}{number}")
    standing = Standing(
        PhoneRecord(PhoneId(number), adapter="modem", **record), state,
        NOW - timedelta(seconds=since), idle, prefixes=frozenset(prefixes),
    )  # fmt: skip
    found = tuple(Window(Limit(v, "today", by_message), used) for used, v in windows)
    return Candidate(standing, found, frozenset(groups))


def decide(queued: Queued, *phones: Candidate) -> Decision:
    return route(queued, phones, NOW)


def chosen(queued: Queued, *phones: Candidate) -> int | None:
    decision = decide(queued, *phones)
    return decision.phone if isinstance(decision, Route) else None


def waits(queued: Queued, *phones: Candidate) -> str:
    decision = decide(queued, *phones)
    assert isinstance(decision, Wait), decision
    return decision.words


def test_the_highest_priority_goes_first() -> None:
    decision = decide(message(), phone(1), phone(2, priority=10))
    assert decision == Route(2, "gsm2: priority 10")


def test_a_busy_phone_is_passed_over_for_the_next() -> None:
    decision = decide(message(), phone(1), phone(2, priority=10, idle=0))
    assert decision == Route(1, "gsm1: priority 0 (gsm2 is busy)")


def test_equals_share_by_a_draw_that_every_node_repeats() -> None:
    phones = [phone(n) for n in (1, 2, 3)]
    taken = [chosen(message(n), *phones) for n in range(300)]
    assert taken == [chosen(message(n), *reversed(phones)) for n in range(300)]
    assert all(60 < taken.count(n) < 140 for n in (1, 2, 3))


def test_a_phone_asked_for_takes_it_whatever_its_priority() -> None:
    decision = decide(message(phone=1), phone(1), phone(2, priority=10))
    assert decision == Route(1, "gsm1: asked for")
    assert chosen(message(phone=3), phone(1), phone(3, cloud=True)) == 3


def test_a_phone_asked_for_that_is_gone_is_waited_for() -> None:
    assert waits(message(phone=9), phone(1)) == "the phone asked for is not configured any more"


def test_without_phones_it_waits() -> None:
    assert waits(message()) == "no phone is configured"


@pytest.mark.parametrize(
    ("state", "windows", "words"),
    [
        (Health.UNAVAILABLE, (), "gsm1 is unavailable"),
        (Health.NO_CREDIT, (), "gsm1 is no_credit"),
        (Health.DISABLED, (), "gsm1 is disabled: was switched off"),
        (Health.AVAILABLE, ((5, 5),), "gsm1 is limit_reached: 5 of 5 parts since today"),
        (Health.AVAILABLE, ((9, 5),), "gsm1 is limit_reached: 9 of 5 parts since today"),
    ],
)
def test_a_phone_that_cannot_says_why(
    state: Health, windows: tuple[tuple[int, int], ...], words: str
) -> None:
    assert waits(message(), phone(1, state, windows=windows)) == words


def test_a_message_longer_than_what_is_left_is_not_cut() -> None:
    words = waits(message(parts=3), phone(1, windows=((3, 5),)))
    assert words == "gsm1 would pass its limit: 3 of 5 parts since today"
    assert chosen(message(parts=2), phone(1, windows=((3, 5),))) == 1


@pytest.mark.parametrize("full", [((5, 5),), ((4, 5),)])
def test_a_full_phone_gives_way_to_the_cloud_and_says_so(full: tuple[tuple[int, int], ...]) -> None:
    decision = decide(message(parts=2), phone(1, windows=full), phone(2, cloud=True))
    assert isinstance(decision, Route)
    assert decision.phone == 2
    assert decision.words.startswith("cloud2: fallback of gsm1 (gsm1 ")
    assert "of 5 parts since today" in decision.words


def test_the_cloud_takes_nothing_while_a_phone_is_only_busy() -> None:
    assert waits(message(), phone(1, idle=0), phone(2, cloud=True)) == "gsm1 is busy"
    full = phone(3, windows=((1, 1),))
    assert waits(message(), phone(1, idle=0), full, phone(2, cloud=True))


@pytest.mark.parametrize("state", [Health.UNAVAILABLE, Health.NO_CREDIT, Health.LIMIT_REACHED])
def test_fallback_only_for_the_reasons_that_are_allowed(state: Health) -> None:
    cloud = phone(2, cloud=True)
    allowed = phone(1, state, fallback_on=frozenset({state}))
    assert chosen(message(), allowed, cloud) == 2
    denied = phone(1, state, fallback_on=ON - {state})
    assert chosen(message(), denied, cloud) is None


def test_a_short_absence_calls_no_fallback() -> None:
    cloud = phone(2, cloud=True)
    for seconds, taker in ((119, None), (120, 2)):
        away = phone(1, Health.UNAVAILABLE, since=seconds, fallback_on=ON, unavailable_grace=120)
        assert chosen(message(), away, cloud) == taker


def test_fallbacks_in_the_order_that_was_written() -> None:
    first = phone(1, windows=((1, 1),), fallback=("gsm3", "nobody", "cloud2"))
    cloud = phone(2, cloud=True, priority=9)
    assert chosen(message(phone=1), first, cloud, phone(3)) == 3
    assert chosen(message(phone=1), first, cloud, phone(3, Health.UNAVAILABLE)) == 2


def test_no_fallback_where_none_is_wanted() -> None:
    alone = phone(1, windows=((1, 1),), fallback=())
    assert chosen(message(), alone, phone(2, cloud=True)) is None


def test_clouds_take_over_by_priority_and_voice_ones_never() -> None:
    full = phone(1, windows=((1, 1),))
    clouds = [phone(2, cloud=True), phone(3, cloud=True, priority=5)]
    voice = phone(4, cloud=True, priority=9, voice=True)
    assert chosen(message(), full, *clouds, voice) == 3
    assert chosen(message(), full, voice) is None
    busy = phone(3, cloud=True, priority=5, idle=0)
    assert chosen(message(), full, clouds[0], busy) == 2


def test_with_clouds_alone_they_are_no_fallback_of_anything_but_take_it() -> None:
    decision = decide(message(), phone(2, cloud=True))
    assert isinstance(decision, Route)
    assert "no phone of one's own is configured" in decision.words
    assert waits(message(), phone(2, Health.NO_CREDIT, cloud=True)) == "cloud2 is no_credit"


def test_a_begun_message_stays_with_its_phone() -> None:
    begun = message(begun_on=1, parts=3)
    better = phone(2, priority=9)
    assert decide(begun, phone(1), better) == Route(1, "gsm1: it sent the first parts")
    again, full = replace(begun, again=True), phone(1, windows=((7, 9),))
    assert decide(again, phone(1), better) == Route(1, "gsm1: it may have sent it")
    assert chosen(begun, full, better) == 1
    assert "gsm1, which may have sent it, would pass its limit" in waits(again, full, better)
    assert chosen(begun, phone(1, windows=((5, 5),)), better, phone(3, cloud=True)) == 1
    assert "is unavailable" in waits(begun, phone(1, Health.UNAVAILABLE, fallback_on=ON), better)
    assert "gsm1" in waits(begun, phone(1, idle=0), better)
    assert "not configured any more" in waits(begun, better)
    assert chosen(replace(begun, phone=2), phone(1), better) == 1


def test_who_declined_it_is_not_asked_again() -> None:
    declined = message(declined_by=frozenset({1}))
    assert chosen(declined, phone(1), phone(2, cloud=True, fallback_on=ON)) == 2
    assert chosen(declined, phone(1, priority=9), phone(3)) == 3


def test_a_message_is_refused_once_everybody_has_declined_it() -> None:
    decision = decide(message(declined_by=frozenset({1, 2})), phone(1), phone(2, cloud=True))
    assert isinstance(decision, Refuse)
    assert decision.fault.kind is FaultClass.DECLINED
    assert isinstance(decide(message(declined_by=frozenset({1})), phone(1)), Refuse)


def test_a_message_is_refused_when_only_phones_that_may_not_take_it_are_left() -> None:
    declined = message(phone=1, declined_by=frozenset({1}))
    decision = decide(declined, phone(1, fallback=()), phone(2, cloud=True), phone(3))
    assert isinstance(decision, Refuse)


@pytest.mark.parametrize(
    "other", [phone(3, idle=0), phone(3, Health.UNAVAILABLE), phone(3, windows=((1, 1),))]
)
def test_a_fallback_that_cannot_take_it_now_is_waited_for(other: Candidate) -> None:
    declined = message(phone=1, declined_by=frozenset({1}))
    assert "gsm3" in waits(declined, phone(1, fallback=("gsm3",)), other)


def test_a_limit_by_message_counts_a_long_message_once() -> None:
    alone = phone(1, windows=((4, 5),), by_message=True)
    assert chosen(message(parts=7), alone) == 1
    full = phone(1, windows=((5, 5),), by_message=True)
    assert waits(message(), full) == "gsm1 is limit_reached: 5 of 5 messages since today"


def test_a_group_is_all_that_may_take_it_clouds_too() -> None:
    phones = [phone(1, priority=9), phone(2, groups=(7,)), phone(3, cloud=True, groups=(7, 8))]
    assert decide(message(group=7, number=4), *phones[:2]) == Route(
        2, "gsm2: of phone group 7, priority 0"
    )
    assert {chosen(message(n, group=7), *phones) for n in range(50)} == {2, 3}
    assert chosen(message(group=8), *phones) == 3
    assert waits(message(group=9), *phones) == "the phone group asked for has no phone"
    busy = [phone(1), phone(2, groups=(7,), idle=0)]
    assert waits(message(group=7), *busy) == "gsm2 is busy"


def test_a_group_falls_back_as_its_phones_say() -> None:
    full = phone(2, groups=(7,), windows=((1, 1),))
    assert chosen(message(group=7), full, phone(1), phone(3, cloud=True)) == 3
    named = phone(2, groups=(7,), windows=((1, 1),), fallback=("gsm1",))
    assert chosen(message(group=7), named, phone(1), phone(3, cloud=True)) == 1


def test_the_longest_prefix_chooses_the_phone() -> None:
    phones = [
        phone(1, prefixes=("+33", "+331")), phone(2, prefixes=("+336",)), phone(3, priority=9),
        phone(4, cloud=True, prefixes=("+1", "+336")),
    ]  # fmt: skip
    decision = decide(message(to="+33112345678"), *phones)
    assert decision == Route(1, "gsm1: by the route for +331, priority 0")
    assert {chosen(message(n, to="+33612345678"), *phones) for n in range(50)} == {2, 4}
    assert chosen(message(to="+33512345678"), *phones) == 1
    assert chosen(message(to="+12025550123"), *phones) == 4
    assert chosen(message(to="+4915112345678"), *phones) == 3
    assert chosen(message(to="+33112345678", phone=3), *phones) == 3
    grouped = [*phones, phone(5, groups=(7,))]
    assert chosen(message(to="+33112345678", group=7), *grouped) == 5


def test_a_route_falls_back_as_its_phone_says() -> None:
    full = phone(1, prefixes=("+33",), windows=((1, 1),))
    assert chosen(message(), full, phone(2), phone(3, cloud=True)) == 3
    assert chosen(message(), replace(full, windows=()), phone(2, priority=9)) == 1


def test_a_known_phone_goes_before_all_others_and_is_waited_for_while_busy() -> None:
    better = phone(2, priority=9)
    decision = decide(message(known=1), phone(1), better)
    assert decision == Route(1, "gsm1: known to its recipient")
    assert waits(message(known=1), phone(1, idle=0), better) == (
        "gsm1, which its recipient knows, is busy"
    )
    group = [phone(1, groups=(7,)), phone(2, groups=(7,), priority=9)]
    assert decide(message(known=1, group=7), *group) == Route(
        1, "gsm1: of phone group 7, known to its recipient"
    )


@pytest.mark.parametrize(
    "known", [phone(1, Health.UNAVAILABLE), phone(1, windows=((1, 1),)), phone(3)]
)
def test_a_known_phone_that_cannot_is_not_insisted_on(known: Candidate) -> None:
    assert chosen(message(known=1), known, phone(2)) in (2, 3)
    assert chosen(message(known=1, declined_by=frozenset({1})), phone(1), phone(2)) == 2


def test_a_cloud_that_once_helped_out_is_not_stuck_to() -> None:
    assert chosen(message(known=3), phone(1), phone(3, cloud=True, priority=9)) == 1


def test_a_flash_message_stays_with_phones_that_can() -> None:
    cloud = phone(2, cloud=True, flash=False)
    assert chosen(message(flash=True), phone(1), cloud) == 1
    full = phone(1, windows=((1, 1),))
    words = waits(message(flash=True), full, cloud)
    assert words.endswith("cloud2 sends no flash messages")
    plain, able = phone(3, flash=False, priority=9), phone(1)
    assert decide(message(flash=True), plain, able) == Route(
        1, "gsm1: priority 0 (gsm3 sends no flash messages)"
    )
    assert chosen(message(flash=True, phone=3), plain, phone(4, cloud=True)) == 4


def test_what_no_phone_can_send_is_refused_in_words() -> None:
    for queued, words in (
        (message(flash=True), "cloud2 sends no flash messages"),
        (message(mms=True), "cloud2 sends no MMS"),
    ):
        decision = decide(queued, phone(2, cloud=True, flash=False))
        assert isinstance(decision, Refuse)
        assert decision.fault.words == words
    assert chosen(message(mms=True), phone(1), phone(2, mms=True)) == 2


def test_voice_is_for_who_asks_for_it() -> None:
    voice = phone(2, voice=True, priority=9)
    assert chosen(message(), phone(1), voice) == 1
    assert chosen(message(), voice) is None
    assert chosen(message(phone=2), phone(1), voice) == 2
    assert chosen(message(group=7), phone(1), replace(voice, groups=frozenset({7}))) == 2


def test_a_limit_shows_even_while_the_phone_is_away() -> None:
    assert health(phone(1, Health.UNAVAILABLE, windows=((1, 1),)))[0] is Health.LIMIT_REACHED


_phones = st.lists(
    st.builds(
        phone,
        st.just(0),
        st.sampled_from(Health),
        idle=st.integers(0, 2),
        since=st.floats(0, 300),
        windows=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), max_size=2).map(tuple),
        priority=st.integers(0, 2),
        cloud=st.booleans(),
        fallback=st.none() | st.lists(st.sampled_from(["p1", "p2", "p3", "p9"])).map(tuple),
        fallback_on=st.frozensets(st.sampled_from(Health)),
        flash=st.booleans(),
        voice=st.booleans(),
        prefixes=st.lists(st.sampled_from(["+33", "+336", "+1"])).map(tuple),
        groups=st.lists(st.integers(1, 2)).map(tuple),
    ),
    max_size=5,
).map(
    lambda found: [
        replace(
            c,
            standing=replace(c.standing, phone=replace(c.phone, id=PhoneId(n), name=f"p{n}")),
        )
        for n, c in enumerate(found, 1)
    ]
)
_ids = st.integers(1, 6)
_messages = st.builds(
    message,
    st.integers(1, 999),
    parts=st.integers(1, 4),
    phone=st.none() | _ids,
    begun_on=st.none() | _ids,
    declined_by=st.frozensets(_ids, max_size=5),
    flash=st.booleans(),
    group=st.none() | st.integers(1, 2),
    known=st.none() | _ids,
)


@settings(max_examples=400, deadline=None)
@given(_messages, _phones)
def test_the_same_rows_give_the_same_answer_and_never_a_phone_that_may_not(
    queued: Queued, phones: list[Candidate]
) -> None:
    decision = decide(queued, *phones)
    assert decide(queued, *phones) == decision
    if isinstance(decision, Refuse):
        assert queued.declined_by or queued.flash
        assert queued.begun_on is None
    if not isinstance(decision, Route):
        return
    taker = next(c for c in phones if c.phone.id == decision.phone)
    assert taker.standing.idle
    status = health(taker)[0]
    if queued.begun_on is not None:
        assert taker.phone.id == queued.begun_on
        assert status in (Health.AVAILABLE, Health.LIMIT_REACHED)
        return
    assert status is Health.AVAILABLE
    assert taker.phone.id not in queued.declined_by
    assert all(w.used + queued.parts <= w.limit.volume for w in taker.windows)
    assert taker.phone.flash or not queued.flash
    named = {name for c in phones for name in c.phone.fallback or ()}
    if taker.phone.voice and queued.phone != taker.phone.id and taker.phone.name not in named:
        assert queued.group in taker.groups or taker.standing.prefixes
    if queued.phone is not None and taker.phone.id != queued.phone:
        asked = next(c for c in phones if c.phone.id == queued.phone)
        allowed = asked.phone.fallback
        assert taker.phone.name in allowed if allowed is not None else taker.phone.cloud


def lane(queued: Queued) -> str:
    """As the column ``message.lane`` spells it, for a message without a route."""
    if queued.begun_on is not None:
        return f"b{queued.begun_on}"
    declined = ",".join(str(phone) for phone in sorted(queued.declined_by))
    parts = [("p", queued.phone), ("g", queued.group), ("k", queued.known)]
    spelt = "".join(f"{letter}{number}" for letter, number in parts if number is not None)
    return spelt + "f" * queued.flash + "d" * bool(declined) + declined


@settings(max_examples=400, deadline=None)
@given(_messages, _phones)
def test_where_any_message_of_a_lane_waits_no_message_of_it_goes(
    queued: Queued, phones: list[Candidate]
) -> None:
    """What the claim rests on: it asks once for a lane, not for each message in it."""
    queued = replace(queued, destination="+4915112345678")
    any_one = decide(any_of(lane(queued), queued.parts), *phones)
    assert type(any_one) is type(decide(queued, *phones))


def test_a_stick_that_was_never_plugged_in_keeps_nobody_waiting() -> None:
    full = phone(1, windows=((1, 1),))
    cloud = phone(3, cloud=True)
    assert chosen(message(), full, phone(2, Health.UNAVAILABLE, since=3600), cloud) == 3
    assert "gsm2" in waits(message(), full, phone(2, Health.UNAVAILABLE, since=10), cloud)
    assert chosen(message(), full, phone(2, Health.DISABLED), cloud) == 3
    assert "gsm2" in waits(message(), phone(2, Health.UNAVAILABLE, since=3600), cloud)
    assert "switched off" in waits(message(phone=2), phone(2, Health.DISABLED), cloud)
