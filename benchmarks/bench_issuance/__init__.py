"""How fast a bureau works: `make bench-issuance`."""
