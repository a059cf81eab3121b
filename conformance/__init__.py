"""Checks that the platform will accept what we deploy, made with the platform's own parts as far as they can be had."""
