"""Between issuers: the trust list for whoever asks, and scans of each other's holders."""
