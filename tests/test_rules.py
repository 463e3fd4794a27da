"""The configuration of STOP words, commands, automatic replies and webhooks."""

import json
from typing import Any

import pytest

from smsd.config import effective, missing_programs, parse
from smsd.dispatch.phones import Phones
from smsd.model.phone import PhoneId, PhoneRecord
from smsd.model.reactions import Heard, Order, Reaction
from smsd.rules import RASPISMS_ANSWER, drafts_of, programs_of, rules_of, secrets_of
from tests.rig import ALICE, BOB, Scripted
from tests.test_config import wrong
from tests.virtual_time import START

HOOK = {"name": "crm", "url": "https://crm.example/", "events": ["receive_sms"],
        "secret": "0123456789abcdef"}  # fmt: skip
PUMP = {"name": "pump", "program": ["/bin/true"], "senders": [ALICE]}
AWAY = {"name": "away", "text": "Nobody reads this."}
USER = {"name": "app", "api_key": "k" * 32}


def test_everything_that_can_be_said() -> None:
    config = parse(
        {
            "inbox": {"answers_per_hour": 3},
            "stop": {"languages": ["en"], "words": ["enough"], "answer": "", "start_answer": "Hi."},
            "command": [PUMP | {"password": "sesame-7", "timeout": 5, "answer": True,
                                "phones": ["gsm0"], "senders": ["*"]}],
            "autoreply": [AWAY | {"keyword": "info", "pattern": "in.o", "every": 60}],
            "webhook": [HOOK, {"name": "old", "url": "http://localhost/x", "events": ["send_sms"],
                               "form": "raspisms", "user": "app"}],
            "user": [USER],
        },
        "x",
    )  # fmt: skip
    phones = Phones(lambda: START, START.tzinfo, lambda: None)  # type: ignore[arg-type]
    record = PhoneRecord(PhoneId(1), "gsm0", "modem", number="+33699999999")
    phones.add(record, Scripted())
    rules = rules_of(config, phones, None, 7, 600)
    assert rules.phone(1) == ("gsm0", "FR")
    assert (rules.per_hour, rules.account, rules.validity) == (3, 7, 600)
    assert rules.react(Heard(1, "0612345678", "Enough!")) == Reaction(stop=ALICE)
    started = rules.react(Heard(1, ALICE, "start"))
    assert started is not None
    assert started.answer is not None
    assert (started.start, started.answer.text) == (ALICE, "Hi.")
    assert rules.react(Heard(1, "+33699999999", "INFO")) is None
    ordered = rules.react(Heard(1, BOB, "pump sesame-7 on"))
    assert ordered is not None
    assert ordered.order == Order("pump", "on")
    replied = rules.react(Heard(1, ALICE, "INFO"))
    assert replied is not None
    assert replied.answer is not None
    assert (replied.answer.rule, replied.answer.every) == ("autoreply away", 60)
    assert (programs_of(config)["pump"].timeout, programs_of(config)["pump"].answers) == (5, True)
    crm, old = drafts_of(config, {"app": 7}.__getitem__)
    assert (crm.account, crm.secret, crm.name, old.account, old.form) == (
        None, None, "crm", 7, "raspisms",
    )  # fmt: skip
    assert secrets_of(config) == {"crm": HOOK["secret"]}


def test_without_a_word_raspismss_own_answer_goes_out_and_nothing_else() -> None:
    phones = Phones(lambda: START, START.tzinfo, lambda: None)  # type: ignore[arg-type]
    phones.add(PhoneRecord(PhoneId(1), "gsm0", "modem"), Scripted())
    rules = rules_of(parse({}, "x"), phones, "FR", 0, 600)
    found = rules.react(Heard(1, "0612345678", "STOP"))
    assert found is not None
    assert found.answer is not None
    assert (found.answer.text, found.answer.tag) == (RASPISMS_ANSWER, "SMS_STOP")
    assert rules.react(Heard(1, ALICE, "hello")) is None


def test_secrets_are_resolved_and_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "secret-of-the-hook")
    monkeypatch.setenv("DOOR", "open-sesame")
    config = parse(
        {"webhook": [HOOK | {"secret": "env:HOOK"}], "command": [PUMP | {"password": "env:DOOR"}]},
        "x",
    )
    assert secrets_of(config) == {"crm": "secret-of-the-hook"}
    assert config.command[0].password == "open-sesame"
    shown = json.dumps(effective(config))
    assert "sesame" not in shown
    assert "secret-of" not in shown


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"stop": {"languages": ["xx"]}}, 'stop.languages: "xx" is none of cs, da'),
        ({"stop": {"words": ["..."]}}, 'stop.words: "..." has no letter'),
        ({"stop": {"wrods": []}}, 'stop.wrods: unknown key; did you mean "words"?'),
        ({"inbox": {"answers_per_hour": -1}}, "inbox.answers_per_hour: Expected `int` >= 0"),
        ({"command": [PUMP, PUMP]}, 'command: the name "pump" is used twice'),
        ({"command": [PUMP | {"name": "stop"}]}, "says that somebody wants no more messages"),
        ({"command": [PUMP | {"name": "Start"}]}, "says that somebody wants messages again"),
        ({"command": [PUMP | {"name": "two words"}]}, "command[0].name: Expected `str` matching"),
        ({"command": [PUMP | {"program": []}]}, "command[0].program: a program"),
        ({"command": [PUMP | {"program": "rm -rf"}]}, "command[0].program: Expected `array`"),
        ({"command": [PUMP | {"senders": []}]}, "command[0].senders: numbers such as"),
        ({"command": [PUMP | {"senders": ["0612"]}]}, 'command[0].senders: "0612" is no number'),
        ({"command": [PUMP | {"senders": ["*"]}]}, "command[0].password: expected, as anybody"),
        ({"command": [PUMP | {"password": "abc"}]}, "command[0].password: 6 to 40 characters"),
        ({"command": [PUMP | {"timeout": 0}]}, "command[0].timeout: Expected `float` > 0"),
        ({"command": [PUMP | {"comand": 0}]}, "command[0].comand: unknown key; valid here"),
        ({"autoreply": [AWAY, AWAY]}, 'autoreply: the name "away" is used twice'),
        ({"autoreply": [AWAY | {"pattern": "("}]}, "autoreply[0].pattern: no regular expression"),
        ({"autoreply": [AWAY | {"keyword": "?!"}]}, "autoreply[0].keyword: a word with a letter"),
        ({"autoreply": [AWAY | {"text": ""}]}, "autoreply[0].text: Expected `str` of length >= 1"),
        ({"autoreply": [AWAY | {"every": 1}]}, "autoreply[0].every: Expected `float` >= 60"),
        ({"webhook": [HOOK, HOOK]}, 'webhook: the name "crm" is used twice'),
        ({"webhook": [HOOK | {"url": "http://crm.example/"}]}, "webhook[0].url: https expected"),
        ({"webhook": [HOOK | {"events": []}]}, "webhook[0].events: one or more of send_sms"),
        ({"webhook": [HOOK | {"events": ["sms"]}]}, 'webhook[0].events: "sms" is none of send_sms'),
        ({"webhook": [HOOK | {"secret": "short"}]}, "webhook[0].secret: 16 to 200 characters"),
        ({"webhook": [HOOK | {"user": "nobody"}]}, 'webhook[0].user: no user is named "nobody"'),
        ({"webhook": [{k: v for k, v in HOOK.items() if k != "secret"}]}, "webhook[0].secret:"),
        ({"webhook": [{**{k: v for k, v in HOOK.items() if k != "secret"}, "form": "raspisms"}]},
         "webhook[0].secret: expected, or a user, whose api_key it then is"),
        ({"webhook": [HOOK | {"form": "raspisms", "events": ["end_call"]}]},
         'webhook[0].events: "end_call" is none of'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(raw: dict[str, Any], words: str) -> None:
    assert words in wrong(raw)


def test_a_program_that_is_not_there_is_complained_of() -> None:
    config = parse({"command": [PUMP, PUMP | {"name": "b", "program": ["/nowhere/b"]}]}, "x")
    assert list(missing_programs(config)) == [
        'command[1].program: "/nowhere/b" is no program that can be run; its full path expected'
    ]


def test_a_text_that_is_made_to_hang_a_pattern_does_not() -> None:
    """Anybody may send one; it is looked at while the store waits."""
    config = parse({"autoreply": [AWAY | {"pattern": "^(a+)+$"}]}, "x")
    phones = Phones(lambda: START, START.tzinfo, lambda: None)  # type: ignore[arg-type]
    phones.add(PhoneRecord(PhoneId(1), "gsm0", "modem", number="+33699999999"), Scripted())
    rules = rules_of(config, phones, None, 7, 600)
    assert rules.react(Heard(1, ALICE, "a" * 48 + "!")) is None
    assert rules.react(Heard(1, ALICE, "a" * 48)) is not None
