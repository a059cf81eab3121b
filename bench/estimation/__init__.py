"""The bench of the estimation: what it makes of readings that another physics made."""
