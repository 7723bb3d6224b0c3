"""What is measured, against whom; see README.md for how to read it."""
