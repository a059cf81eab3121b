"""Health: how far the data of each template are, and what of it nobody watches."""
