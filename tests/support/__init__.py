"""What tests share: fakes, examples, worlds, naive oracles, and ways to run hosts and pages."""
