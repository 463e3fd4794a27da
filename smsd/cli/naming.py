"""A phone as a person names it."""

from smsd.cli.client import Client, Failure


def phone_id(daemon: Client, named: str) -> int:
    """The id of a phone, by its id or its name; raises `Failure` if there is none."""
    if named.isascii() and named.isdigit():
        return int(named)
    for phone in daemon.all("/api/list/phone/"):
        if phone["name"] == named:
            return int(phone["id"])
    raise Failure(f'no phone is named "{named}"')
