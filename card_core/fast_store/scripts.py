"""What runs inside Redis: each script is atomic, touches one slot, and believes nothing.

Every one first asks the server who it is. A server that was demoted and became master again has
another replication id though its process and its connections are the same, and its marks may be
those of the other master. Asking costs the server 2 us.

The answers are one letter and what belongs to it.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

_HERE = """
local info = redis.call('INFO', 'replication')
if not (string.find(info, 'role:master', 1, true)
    and string.find(info, 'master_replid:' .. ARGV[1], 1, true)) then
  return 'Dnode'
end
"""

_NOW_MS = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
"""


@dataclass(frozen=True, slots=True)
class Script:
    source: str
    sha: bytes


def _script(source: str) -> Script:
    # SHA-1 is Redis' name for a script; it protects nothing.
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest().encode())


# KEYS bucket, card. ARGV mastership, epoch's name, nonce, request tag.
# A spent, S the same request again, U used, R refused for the card's state, N no card, D doubt.
SPEND: Final = _script(
    _HERE
    + """
local marks = redis.call('HMGET', KEYS[1], 'e', ARGV[3])
if marks[1] ~= ARGV[2] then
  return 'Dbucket'
end
local card = redis.call('GET', KEYS[2])
if marks[2] == ARGV[4] then
  return 'S' .. (card and string.sub(card, 9) or '')
end
local state = card and string.byte(card, 9) or 0
if state == 0 then
"""
    + _NOW_MS
    + """
  return 'N' .. string.format('%d', now_ms)
end
if state ~= 1 then
  return 'R' .. string.sub(card, 9)
end
if marks[2] then
  return 'U'
end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
return 'A' .. string.sub(card, 9)
"""
)

# KEYS card. ARGV mastership, record, ticket in ms, longest load in ms, kept ms.
# K kept, O something newer is there or the load took too long.
PUT: Final = _script(
    _HERE
    + _NOW_MS
    + """
local age_ms = now_ms - tonumber(ARGV[3])
if age_ms < 0 or age_ms > tonumber(ARGV[4]) then
  return 'O'
end
local there = redis.call('GET', KEYS[1])
if there then
  local newest = struct.unpack('>I8', there)
  local version = struct.unpack('>I8', ARGV[2])
  if newest > version or (newest == version and string.byte(there, 9) ~= 0) then
    return 'O'
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[5])
return 'K'
"""
)

# KEYS card. ARGV mastership, version and unknown state, kept ms. K done.
PUSH: Final = _script(
    _HERE
    + """
local there = redis.call('GET', KEYS[1])
if there and struct.unpack('>I8', there) >= struct.unpack('>I8', ARGV[2]) then
  return 'K'
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 'K'
"""
)

# KEYS buckets of one shard, in order. ARGV mastership, epoch's name, ms that the first one is
# kept, ms that each one is kept longer than the one before. K made, X one was there: none is made.
MAKE: Final = _script(
    _HERE
    + """
if redis.call('EXISTS', unpack(KEYS)) ~= 0 then
  return 'X'
end
for at, key in ipairs(KEYS) do
  redis.call('HSET', key, 'e', ARGV[2])
  redis.call('PEXPIRE', key, ARGV[3] + (at - 1) * ARGV[4])
end
return 'K'
"""
)
