from avsieve.cleansing.list_digest import list_digest

NAMES, LABELS = ["a/v/1", "a/v/2", "b/v/1"], ["a", "a", "b"]


def test_the_order_of_a_list_is_no_part_of_it_and_its_labels_are():
    known = list_digest(NAMES, LABELS)
    assert len(known) == 64
    assert list_digest(NAMES[::-1], LABELS[::-1]) == known
    assert list_digest(NAMES, ["a", "b", "b"]) != known
    assert list_digest(NAMES[:2], LABELS[:2]) != known
