"""smsd: an SMS gateway that never stops, never loses a message and never sends one twice."""

__version__ = "0.1.0"
