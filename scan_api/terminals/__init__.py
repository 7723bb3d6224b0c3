"""Which terminal speaks: the registry in memory, signed requests, access tokens, enrolment."""
