"""Detection: days of the lake become scored days."""
