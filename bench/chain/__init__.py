"""The way from a leak to a person's screen, judged as one."""
