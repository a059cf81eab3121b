"""The journal: what was said and done is written down as it is, before anybody can read it anywhere else."""
