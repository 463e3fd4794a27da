"""Simulated GSM modems, their network and cloud providers, from the specifications alone."""
