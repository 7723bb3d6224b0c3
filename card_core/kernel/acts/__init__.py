"""The acts, one module a noun. Each is a frozen dataclass that knows how to apply itself."""
