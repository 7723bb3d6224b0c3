"""What holders do for themselves, on their page and in other apps."""

# How each address of it begins.
PREFIX = "/v1/holder"
