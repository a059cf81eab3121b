"""HTTP: what every endpoint shares: contract, checks of what comes in, answers, problems, access."""
