"""The words of the trade as plain, frozen models: no storage, no network, no clock."""
