"""Tests of alarms and the journal."""
