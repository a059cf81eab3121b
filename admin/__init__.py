"""Commands of administrators: storage, platforms, retries, replays, and the package that is deployed."""
