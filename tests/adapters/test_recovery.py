"""The ladder: from evidence to the gentlest step that may help."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.adapters.modem.recovery import HOUR, WELL_AFTER, Evidence, Ladder, Step


def climbed(ladder: Ladder, evidence: Evidence, times: int, every: float = 60.0) -> list[str]:
    return [ladder.climb(evidence, every * n).value for n in range(times)]


def test_silence_needs_no_commands() -> None:
    assert climbed(Ladder(), Evidence.SILENT, 5) == ["L1", "L2", "L5", "L6", "L7"]


@pytest.mark.parametrize("evidence", [Evidence.FAULTY, Evidence.DEAF, Evidence.UNREGISTERED])
def test_a_modem_that_answers_is_told(evidence: Evidence) -> None:
    assert climbed(Ladder(), evidence, 5) == ["L3", "L4", "L5", "L6", "L7"]


def test_only_steps_that_can_be_taken_are() -> None:
    ladder = Ladder(frozenset({Step.REOPEN, Step.GIVE_UP}))
    assert climbed(ladder, Evidence.SILENT, 3) == ["L1", "L7", "L1"]
    assert climbed(Ladder(frozenset()), Evidence.DEAF, 1) == ["L7"]


def test_new_trouble_begins_at_the_bottom() -> None:
    ladder = Ladder()
    assert ladder.climb(Evidence.SILENT, 0.0) is Step.REOPEN
    assert ladder.climb(Evidence.SILENT, WELL_AFTER + 1) is Step.REOPEN
    assert ladder.counts == {Step.REOPEN: 2}


def test_other_evidence_does_not_lead_down_again() -> None:
    ladder = Ladder()
    assert ladder.climb(Evidence.FAULTY, 0.0) is Step.RADIO
    assert ladder.climb(Evidence.SILENT, 30.0) is Step.USB


def test_violent_steps_are_rare() -> None:
    ladder = Ladder(frozenset({Step.RESET, Step.GIVE_UP}))
    steps = [ladder.climb(Evidence.FAULTY, 2 * WELL_AFTER * n) for n in range(3)]
    assert steps == [Step.RESET] * 3
    assert ladder.climb(Evidence.FAULTY, 2 * WELL_AFTER * 2.9) is Step.GIVE_UP
    assert ladder.climb(Evidence.FAULTY, HOUR + 1) is Step.RESET


def test_a_step_that_failed_does_not_count() -> None:
    ladder = Ladder(frozenset({Step.POWER, Step.GIVE_UP}))
    for n in range(4):
        assert ladder.climb(Evidence.SILENT, 60.0 * n) is Step.POWER
        ladder.failed(Step.POWER)
        assert ladder.climb(Evidence.SILENT, 60.0 * n + 30) is Step.GIVE_UP
    assert ladder.counts == {Step.POWER: 0, Step.GIVE_UP: 4}
    ladder.failed(Step.POWER)  # another was chosen since: nothing to take back
    assert ladder.counts[Step.POWER] == 0


@given(st.lists(st.tuples(st.sampled_from(Evidence), st.floats(0.1, 2000.0)), max_size=60))
def test_no_hour_has_more_than_its_share(troubles: list[tuple[Evidence, float]]) -> None:
    ladder, now, taken = Ladder(), 0.0, []
    for evidence, passed in troubles:
        now += passed
        taken.append((now, ladder.climb(evidence, now)))
    for step, most in ((Step.RESET, 3), (Step.USB, 2), (Step.POWER, 2)):
        times = [when for when, which in taken if which is step]
        assert all(sum(t <= u < t + HOUR for u in times) <= most for t in times)
    assert sum(ladder.counts.values()) == len(taken)
    assert all(step.words for step in Step)
