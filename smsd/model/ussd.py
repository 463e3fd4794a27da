"""A dialogue with the network itself: balances, tariffs, menus (22.090)."""

from dataclasses import dataclass
from enum import StrEnum


class UssdStatus(StrEnum):
    """What the network makes of a request; the order is that of <m> (27.007 7.15)."""

    DONE = "done"
    ANSWER_WANTED = "answer_wanted"
    TERMINATED = "terminated"
    OTHER_CLIENT = "other_client"
    NOT_SUPPORTED = "not_supported"
    TIMED_OUT = "timed_out"
    """By the network."""


@dataclass(frozen=True, slots=True)
class UssdReply:
    """What the network answered; the text is empty where it said nothing."""

    status: UssdStatus
    text: str = ""
