"""Commands of administrators: storage, platforms, retries, replays, upgrades, packages, releases, a look at health."""
