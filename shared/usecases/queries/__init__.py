"""Queries: what pages and other services ask for; reads only."""
