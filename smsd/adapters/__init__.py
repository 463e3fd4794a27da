"""Phones: the adapter contract, the adapters, and the supervisor that keeps each alive."""
