"""Incidents: runs of Critical, what people are notified of them, and their estimation."""
