"""One opening of a modem: everything that ends when its port does."""

from dataclasses import dataclass

from smsd.adapters.contract import Sink
from smsd.adapters.modem.port import Port
from smsd.adapters.modem.profiles import Profile
from smsd.adapters.modem.setup import Setup


@dataclass(slots=True)
class Session:
    """A modem that is set up.

    ``registered`` is what the last look at the network said; ``lost_since`` since when (loop's
    time) there is none although there is signal. ``selected`` is the memory that is
    read from (mem1 is modal, 27.005 3.2.2); empty where it is not known. ``holds_link``:
    ``+CMMS`` has not been refused. ``characters`` is what ``+CSCS`` was last set to.
    """

    port: Port
    sink: Sink
    setup: Setup
    began: float = 0.0
    """When it was set up, by the loop's clock."""
    registered: bool = False
    over: bool = False
    """Whether the modem has started anew since: it has forgotten how it was set up."""
    arrivals: int = 0
    """How many messages were announced: what a memory holds may have changed since the last."""
    lost_since: float | None = None
    tells: bool = False
    """Whether the modem has ever told its registration or signal."""
    refusals: int = 0
    """Looks in a row at which it told neither."""
    selected: str = ""
    holds_link: bool = True
    lists: bool = True
    """Whether ``+CMGL`` has not failed."""
    told: bool = False
    """Whether the modem has announced a message."""
    mute: bool = False
    """Whether one came in that it did not announce although it should have."""
    registered_by: str = "CREG"
    """The question that the network was found by, asked first the next time."""
    characters: str = "GSM"
    asked_operator: float = float("-inf")
    """When the operator was asked for last, by the loop's clock; the next likewise."""
    asked_temperature: float = float("-inf")

    @property
    def profile(self) -> Profile:
        """How this family of modems is used."""
        return self.setup.profile
