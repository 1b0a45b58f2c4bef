"""The order in which neighbours are met."""

from qgserver.labeling.visits import VisitOrder


def met(order: VisitOrder, members: range) -> list[int]:
    ranks = order.ranks()
    return sorted(members, key=lambda member: int(ranks[member]))


def test_a_full_node_gives_four_of_nine_away() -> None:
    assert met(VisitOrder(8), range(8)) == list(range(8))
    assert met(VisitOrder(9), range(9)) == [0, 2, 3, 4, 5, 1, 6, 7, 8]
    assert met(VisitOrder(10), range(10)) == [0, 2, 3, 4, 5, 9, 1, 6, 7, 8]


def test_the_last_entry_fills_a_gap_and_a_small_node_is_scattered() -> None:
    order = VisitOrder(9)
    order.remove([0])
    assert met(order, range(1, 9)) == [5, 2, 3, 4, 1, 6, 7, 8]
    order.remove([1])
    assert met(order, range(2, 9)) == [5, 2, 3, 4, 8, 6, 7]
    order.remove([6])
    assert met(order, range(2, 6)) == [5, 2, 3, 4]
    assert sorted(order.ranks()[[2, 3, 4, 5, 7, 8]].tolist()) == list(range(6))
