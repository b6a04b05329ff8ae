"""Files that are nearly right: valid ones with bytes flipped, cut, doubled, put in or mixed; lines of odd tokens."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

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

text = st.lists(
    st.lists(st.sampled_from(TOKENS), max_size=8).flatmap(
        lambda parts: st.sampled_from([" ", "\t", ",", ""]).map(lambda sep: sep.join(parts))
    ),
    max_size=12,
).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes], most: int = 6) -> bytes:
    """Return a seed with some changes."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, most))):
        kind = draw(st.integers(0, 7))
        at = draw(st.integers(0, len(content)))
        until = min(len(content), at + draw(st.integers(1, 64)))
        if kind == 0 and at < len(content):
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == 1:
            del content[at:until]
        elif kind == 2:
            content[at:at] = draw(st.sampled_from(_NUMBERS))
        elif kind == 3:
            number = draw(st.sampled_from(_NUMBERS))
            content[at : at + len(number)] = number
        elif kind == 4:
            content[at:at] = content[at:until] * draw(st.integers(1, 3))
        elif kind == 5:
            del content[at:]
        elif kind == 6:
            content[at:until] = draw(st.sampled_from(TOKENS)).encode("utf-8", "surrogatepass")
        else:
            other = draw(st.sampled_from(seeds))
            start = draw(st.integers(0, len(other)))
            content[at:] = other[start:]
    return bytes(content)


def files(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy of files: mostly changed seeds, some lines of tokens, some bytes without sense."""
    near = mutated(seeds)
    return st.one_of(near, near, near, text, st.binary(max_size=200))
