"""The operators' API: what a bureau's own programs at windows do over HTTP."""
