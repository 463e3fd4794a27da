"""``smsd queue``: what is under way, the whole story of one message, and what a person decides."""

import argparse
import json

from smsd.cli.client import USAGE, Client, Failure, add_options, client
from smsd.cli.naming import phone_id
from smsd.cli.output import printable, show

UNDER_WAY = ("queued", "claimed", "uncertain")
COLUMNS = ("id", "state", "destination", "parts", "priority", "id_phone", "due_at", "why")
FORMS = """\
smsd queue                      what is queued, on its way and uncertain
smsd queue ID                   all about one message
smsd queue resolve ID --sent    what was in doubt had gone; the rest follows
smsd queue resolve ID --resend  send again what is in doubt, and the rest
smsd queue resolve ID --drop    give it up
smsd queue pause [PHONE]        let nothing leave (by that phone); all is kept
smsd queue resume [PHONE]       let it leave again"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "queue",
        help="what is under way, or all about one message; resolve, pause, resume",
        description=FORMS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", metavar="ID|resolve|pause|resume")
    parser.add_argument("which", nargs="?", metavar="ID|PHONE")
    chosen = parser.add_mutually_exclusive_group()
    for word in ("sent", "resend", "drop"):
        chosen.add_argument(f"--{word}", dest="as_", action="store_const", const=word,
                            help="with resolve: see above")  # fmt: skip
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked of the queue."""
    daemon = client(args)
    match args.what, args.which, args.as_:
        case None, None, None:
            _under_way(daemon, as_json=args.json)
        case "resolve", which, str() as resolution if _is_id(which):
            state = daemon.post(f"/api/message/{which}/resolve/", {"as": resolution})[0]
            row = {"message": int(which), "state": state}
            print(json.dumps(row) if args.json else f"message {which} is {state} now")
        case ("pause" | "resume") as verb, which, None:
            phone = None if which is None else phone_id(daemon, which)
            paused = daemon.post(f"/api/queue/{verb}/", {"id_phone": phone})[0]
            print(json.dumps(paused) if args.json else _told(paused))
        case what, None, None if _is_id(what):
            _one(daemon, what, as_json=args.json)
        case _:
            raise Failure(f"usage:\n{FORMS}", USAGE)
    return 0


def _is_id(word: str | None) -> bool:
    return word is not None and word.isascii() and word.isdigit()


def _told(paused: "dict[str, object]") -> str:
    if paused["paused"]:
        return "PAUSED: nothing is sent, everything is kept"
    phones = paused["phones"]
    names = ", ".join(map(str, phones)) if isinstance(phones, list) else ""
    return f"PAUSED: {names}; everything else is sent" if names else "everything is sent"


def _under_way(daemon: Client, *, as_json: bool) -> None:
    rows = [row for state in UNDER_WAY for row in daemon.all("/api/list/message/", state=state)]
    for row in rows:
        row["why"] = row["waits"] or (row["error"]["words"] if row["error"] else None)
    if not as_json and (paused := [w for w in _problems(daemon) if "paused" in w]):
        print(printable(f"! {'; '.join(paused)}"))
    show(rows, COLUMNS, as_json=as_json)


def _problems(daemon: Client) -> list[str]:
    problems: list[str] = daemon.get("/health")["problems"]
    return problems


def _one(daemon: Client, message: str, *, as_json: bool) -> None:
    found = daemon.get(f"/api/message/{message}/")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        _story(found)


def _error(error: object) -> str:
    """What went wrong: its class, what the modem said, what that means and what to do."""
    assert isinstance(error, dict)
    told = " ".join(filter(None, (error["code"], error["words"])))
    hint = f" ({error['hint']})" if error["hint"] else ""
    return f"[{error['class']}] {told}{hint}"


def _story(message: "dict[str, object]") -> None:
    print(f"message {message['id']} to {message['destination']}: {message['state']}")
    print(f"route: {printable(message['route'])}")
    if message["error"]:
        print(printable(f"error: {_error(message['error'])}"))
    changes, attempts = message["changes"], message["attempts"]
    for change in changes if isinstance(changes, list) else ():
        reason = f": {change['reason']}" if change["reason"] else ""
        print(printable(f"  {change['at']}  {change['state']}{reason}"))
    for attempt in attempts if isinstance(attempts, list) else ():
        outcome = attempt["outcome"] or "going on"
        since = f"{attempt['started_at']} to {attempt['ended_at'] or 'now'}"
        print(printable(f"attempt {attempt['id']} by {attempt['phone']}: {outcome}, {since}"))
        if attempt["error"]:
            print(printable(f"  {_error(attempt['error'])}"))
        for part in attempt["parts"]:
            report = f", {part['report']}: {part['report_words']}" if part["report"] else ""
            reference = "" if part["reference"] is None else f" reference {part['reference']}"
            line = f"  part {part['number']}/{part['total']} {part['state']}{reference}{report}"
            print(printable(line))
