"""Whom a request is for, in the order in which it names them, and small enough for all of them."""

from collections.abc import Collection, Iterator


class Recipients(Collection[tuple[str, str]]):
    """Numbers with their data (JSON), a few octets each: a hundred thousand fit into 2 MB.

    Neither a number nor JSON holds a NUL, so one ends each of them.
    """

    def __init__(self) -> None:
        self._packed = bytearray()
        self._count = 0

    def add(self, number: str, data: str) -> None:
        """One more."""
        self._packed += f"{number}\0{data}\0".encode()
        self._count += 1

    def extend(self, others: "Recipients") -> None:
        """All of the others after those that are here."""
        self._packed += others._packed
        self._count += others._count

    def __iter__(self) -> Iterator[tuple[str, str]]:
        start = 0
        for _ in range(self._count):
            middle = self._packed.index(0, start)
            end = self._packed.index(0, middle + 1)
            yield self._packed[start:middle].decode(), self._packed[middle + 1 : end].decode()
            start = end + 1

    def __len__(self) -> int:
        return self._count

    def __contains__(self, recipient: object) -> bool:
        return any(recipient == each for each in self)
