"""The holder base (持卡人员基础库) at work: likely duplicates, and comparison with another's file.

    duplicates   pairs of records that are likely one person's
    compare      a file of another department against the holder base, field by field

Neither changes anything.
"""

from issuance.holder_base.compare import Difference, Kind, compare
from issuance.holder_base.duplicates import Likely, find_duplicates

__all__ = ["Difference", "Kind", "Likely", "compare", "find_duplicates"]
