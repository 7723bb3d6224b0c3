"""S1 to S6: what the scan service does in a second, and how long one scan takes."""
