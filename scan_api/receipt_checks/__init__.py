"""The public check of receipts: no session, nobody's name, nothing kept."""
