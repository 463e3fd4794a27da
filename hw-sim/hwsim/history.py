"""What the network saw, in words: every part that was submitted, and the messages they make."""

from typing import Any

from hwsim import tpdu, userdata
from hwsim.network import Submitted


class History:
    """Decodes each accepted TPDU once, when somebody asks."""

    def __init__(self, accepted: list[Submitted]) -> None:
        self._accepted = accepted
        self._decoded: list[tuple[dict[str, Any], userdata.Body]] = []

    def clear(self) -> None:
        """Forget everything."""
        self._accepted.clear()
        self._decoded.clear()

    def _catch_up(self) -> None:
        for submitted in self._accepted[len(self._decoded) :]:
            fields, body = tpdu.decode_with_body(submitted.octets, "to-sc")
            assert body is not None, "an SMS-SUBMIT has user data"
            self._decoded.append((fields, body))

    def sent(self) -> list[dict[str, Any]]:
        """List every accepted SMS-SUBMIT in order."""
        self._catch_up()
        rows = []
        for n, (submitted, (fields, _)) in enumerate(
            zip(self._accepted, self._decoded, strict=True), 1
        ):
            rows.append(
                {
                    "n": n,
                    "modem": submitted.modem,
                    "from": submitted.sender,
                    "to": fields["destination"]["number"],
                    "reference": fields["reference"],
                    "text": fields["text"],
                    "data": fields["data"],
                    "alphabet": fields["alphabet"],
                    "concat": fields["concat"],
                    "report_requested": fields["flags"]["srr"],
                    "class": fields["class"],
                    "validity": fields["validity"],
                    "at": submitted.at,
                    "tpdu": submitted.octets.hex().upper(),
                }
            )
        return rows

    def messages(self) -> list[dict[str, Any]]:
        """Join the parts as the handset of the destination shows them.

        A part that comes again while its message is incomplete counts in `times_received`; one
        that comes again later begins a message of its own, as a handset would let it.
        """
        self._catch_up()
        shown: list[_Message] = []
        open_ones: dict[tuple[Any, ...], _Message] = {}
        for submitted, (fields, body) in zip(self._accepted, self._decoded, strict=True):
            to = fields["destination"]["number"]
            concat = fields["concat"]
            if concat is None:
                message = _Message(submitted.sender, to, 1)
                message.add(1, body, submitted.at)
                shown.append(message)
                continue
            key = (submitted.sender, to, concat["reference"], concat["total"], concat["wide"])
            if key not in open_ones:
                open_ones[key] = _Message(submitted.sender, to, concat["total"])
                shown.append(open_ones[key])
            open_ones[key].add(concat["number"], body, submitted.at)
            if open_ones[key].complete:
                del open_ones[key]
        return [message.row() for message in shown]


class _Message:
    def __init__(self, sender: str, to: str, total: int) -> None:
        self.sender, self.to, self.total = sender, to, total
        self.parts: dict[int, list[userdata.Body]] = {}
        self.at = 0.0

    @property
    def complete(self) -> bool:
        return len(self.parts) == self.total

    def add(self, number: int, body: userdata.Body, at: float) -> None:
        self.parts.setdefault(number, []).append(body)
        self.at = at

    def row(self) -> dict[str, Any]:
        bodies = [self.parts[number][0] for number in sorted(self.parts)]
        return {
            "from": self.sender,
            "to": self.to,
            "text": userdata.join(bodies),
            "parts": self.total,
            "complete": self.complete,
            "at": self.at,
            "times_received": max(len(copies) for copies in self.parts.values()),
        }
