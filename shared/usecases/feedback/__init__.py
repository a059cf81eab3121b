"""Feedback: what people say of alarms and baselines, and their notes."""
