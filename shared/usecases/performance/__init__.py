"""Performance: what a template's leak detection promises, and how it was."""
