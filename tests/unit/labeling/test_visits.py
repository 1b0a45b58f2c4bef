"""The order in which neighbours are met."""

from qgserver.labeling.visits import VisitOrder


def test_a_full_node_gives_four_of_nine_away() -> None:
    assert VisitOrder(8).members().tolist() == list(range(8))
    assert VisitOrder(9).members().tolist() == [0, 2, 3, 4, 5, 1, 6, 7, 8]
    assert VisitOrder(10).members().tolist() == [0, 2, 3, 4, 5, 9, 1, 6, 7, 8]


def test_the_last_entry_fills_a_gap_and_a_small_node_is_scattered() -> None:
    order = VisitOrder(9)
    order.remove([0])
    assert order.members().tolist() == [5, 2, 3, 4, 1, 6, 7, 8]
    order.remove([1])
    assert order.members().tolist() == [5, 2, 3, 4, 8, 6, 7]
    order.remove([6])
    assert order.members().tolist()[:4] == [5, 2, 3, 4]
    assert sorted(order.members().tolist()) == [2, 3, 4, 5, 7, 8]
