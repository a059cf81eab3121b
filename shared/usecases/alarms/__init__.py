"""Alarms: their life, from being raised to being acknowledged and over; every step of it is in the journal."""
