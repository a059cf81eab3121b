"""Commands of administrators: storage, platforms, retries, replays, upgrades, and the package that is deployed."""
