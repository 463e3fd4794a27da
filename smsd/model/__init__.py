"""What the daemon talks about: messages, phones, what comes in, and the table of states."""
