"""What grows with the number of sensors: the app's own use cases on counted storage, and the platform's limits."""
