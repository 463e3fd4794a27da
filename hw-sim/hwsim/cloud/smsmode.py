"""smsmode, to come in the next step."""
