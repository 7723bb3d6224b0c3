"""Random bytes from the operating system, tested as they are drawn.

For keys, nonces and all else that nobody may guess or that may not come twice. Unlike `secrets`,
a source that is stuck or biased is noticed and refused (crypto.self_test).
"""

from crypto._native import random_bytes

__all__ = ["random_bytes"]
