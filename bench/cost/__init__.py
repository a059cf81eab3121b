"""What watching costs on Azure, from what is measured here and prices that are given; and where the design ends."""
