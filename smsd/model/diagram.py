"""The table of states as a Mermaid diagram: the README's is held equal to it by a test."""

from smsd.model.message import TRANSITIONS, State


def mermaid() -> str:
    """The diagram's text, the states in their order and the changes in that of the table."""
    left = {state for state, _ in TRANSITIONS}
    lines = ["stateDiagram-v2", f"    [*] --> {State.QUEUED}"]
    lines += [f"    {state} --> {to}: {change}" for (state, change), to in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in State if state not in left]
    return "\n".join(lines)
