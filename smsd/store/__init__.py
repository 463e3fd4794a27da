"""Everything durable, as named SQL."""
