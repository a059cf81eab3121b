"""Ingestion: readings from their source into the lake."""
