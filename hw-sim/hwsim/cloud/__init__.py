"""Cloud SMS providers on loopback."""
