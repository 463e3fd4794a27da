"""The AT dialogue: bytes in, events out, bytes to send; no port, no clock, no logger."""
