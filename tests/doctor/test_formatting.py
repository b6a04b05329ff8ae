from __future__ import annotations

from avsieve.doctor.formatting import in_words, two_digits


def test_an_estimate_has_two_digits() -> None:
    assert [two_digits(x) for x in (0, 0.01234, 1.26, 99.7, 123456)] == ["0", "0.012", "1.3", "100", "120,000"]
    assert [in_words(h) for h in (0.001, 0.1, 5.04, 100)] == ["3.6 s", "6.0 min", "5.0 h", "4.2 d"]
