"""What the OpenAPI document of the operators' API has beyond what the routes say by themselves: an
example of each body and each good answer, how one proves who one is, and what problems look like.

The tests hold each example against its own schema, and against what the API answers them.
"""

from issuance.console.reference.document import EXAMPLES, install

__all__ = ["EXAMPLES", "install"]
