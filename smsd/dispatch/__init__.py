"""Who sends what, when, by which phone; and what becomes of what comes in."""
