"""Files that are nearly right: valid ones with bytes flipped, cut, doubled, put in or mixed; lines of odd tokens."""

from __future__ import annotations

import random
from collections.abc import Sequence

# What parsers stumble over: ends of ranges, numbers of other alphabets, blanks that are none, paths out of the folder.
TOKENS = (
    "a/v/1", "a/v/1.wav", "b/w/2.wav", "a", "1", "0", "-1", "1.5", "nan", "inf", "-inf", "1e999", "1_0", "٣", "²", "",
    " ", "\t", ",", ";", '"', "'", "[", "{", "}", ":", "#", "../../etc/passwd", "/etc/passwd", "C:\\x", "..", ".", "~",
    "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\ufeff", "\u202e", "\x1b[2J", "\x7f", "\x00", "=1+1", "<b>",
    "99999999999999999999", "0x10", "é", "e\u0301", "𝟙", "\ud800", "true", "null", "target", "utterance", "speaker",
)  # fmt: skip
_NUMBERS = (
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\xff" * 8,
    b"\x80" + bytes(7),
    bytes(8),
    b"\x7f",
)

_IN_PLACE = (0, 3)
_HEAD = 4096  # what tells of the rest mostly lies in these first bytes


def _lines(dice: random.Random) -> bytes:
    """Return lines of tokens."""
    lines = [
        dice.choice([" ", "\t", ",", ""]).join(dice.choices(TOKENS, k=dice.randrange(8)))
        for _ in range(dice.randrange(12))
    ]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def changed(seeds: Sequence[bytes], dice: random.Random, most: int = 6) -> bytes:
    """Return one of ``seeds`` with some changes."""
    content = bytearray(dice.choice(seeds))
    # Half of them keep their length: what stands behind a change is still found where it is looked for.
    kinds = _IN_PLACE if dice.random() < 0.5 else range(8)
    for _ in range(min(dice.randint(1, most), dice.randint(1, most))):
        most_at = len(content) if len(content) <= _HEAD or dice.random() < 0.5 else _HEAD
        kind, at = dice.choice(kinds), dice.randint(0, most_at)
        until = min(len(content), at + dice.randint(1, 64))
        if kind == 0 and at < len(content):
            content[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del content[at:until]
        elif kind == 2:
            content[at:at] = dice.choice(_NUMBERS)
        elif kind == 3:
            number = dice.choice(_NUMBERS)
            content[at : at + len(number)] = number
        elif kind == 4:
            content[at:at] = content[at:until] * dice.randint(1, 3)
        elif kind == 5 and dice.random() < 0.3:
            del content[at:]
        elif kind == 6:
            content[at:until] = dice.choice(TOKENS).encode("utf-8", "surrogatepass")
        else:
            other = dice.choice(seeds)
            start = dice.randint(0, len(other))
            content[at:until] = other[start : start + dice.randint(0, 64)]
    return bytes(content)


def file_of(seeds: Sequence[bytes], dice: random.Random) -> bytes:
    """Return a file: mostly a changed seed, some lines of tokens, some bytes without sense."""
    kind = dice.random()
    if kind < 0.03:
        return dice.randbytes(dice.randrange(100))
    return _lines(dice) if kind < 0.15 else changed(seeds, dice)
