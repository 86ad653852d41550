"""The tree of the desk's explorer: opened step by step, moved in, paged (BF-37, screens 9)."""

from mes_terminal.domain.trace_steps import TraceStep
from mes_terminal.tui.trace_tree import TraceTree


def step(node: int, *, goes_on: bool = True) -> TraceStep:
    return TraceStep(
        node=node, item=f"I-{node}", description="", lot=None, serial=None, work_order=None,
        status="available", quantity="1", uom="pcs", certainty="exact", goes_on=goes_on,
    )  # fmt: skip


def begun(*roots: int) -> TraceTree:
    tree = TraceTree()
    tree.take(tree.top, [step(node) for node in roots], page_rows=3)
    return tree


def shown(tree: TraceTree) -> list[str]:
    return [
        f"{'  ' * each.branch.level}{each.branch.step.node}"
        if each.more is None
        else f"more {each.more}"
        for each in tree.lines()
    ]


def test_a_branch_is_asked_for_once_then_opened_and_closed() -> None:
    tree = begun(1)
    branch = tree.open()
    assert branch is not None
    tree.take(branch, [step(2), step(3, goes_on=False)], page_rows=3)
    assert shown(tree) == ["1", "  2", "  3"]
    tree.close()
    assert shown(tree) == ["1"]
    assert tree.open() is None
    assert shown(tree) == ["1", "  2", "  3"]


def test_right_goes_into_an_open_branch_and_left_back_to_what_it_hangs_on() -> None:
    tree = begun(1)
    branch = tree.open()
    assert branch is not None
    tree.take(branch, [step(2), step(3, goes_on=False)], page_rows=3)
    assert tree.open() is None
    assert (tree.at, tree.line and tree.line.branch.step.node) == (1, 2)
    tree.move("down", page_rows=10)
    assert tree.open() is None  # nothing hangs on it
    tree.close()
    assert tree.at == 0
    tree.close()
    tree.close()
    assert (shown(tree), tree.at) == (["1"], 0)


def test_what_comes_in_pages_says_how_many_are_left_and_loads_the_next() -> None:
    tree = begun(1)
    branch = tree.open()
    assert branch is not None
    branch.total = 5
    tree.take(branch, [step(2), step(3), step(4)], page_rows=3)
    assert shown(tree) == ["1", "  2", "  3", "  4", "more 2"]
    tree.move("end", page_rows=10)
    assert tree.open() is branch
    assert branch.last_node == 4
    tree.take(branch, [step(5), step(6)], page_rows=3)
    assert shown(tree) == ["1", "  2", "  3", "  4", "  5", "  6"]
    assert tree.at == 4  # where the line of more was


def test_many_beginnings_come_in_pages_too() -> None:
    tree = begun(1, 2, 3)
    tree.top.total = 4
    assert shown(tree) == ["1", "2", "3", "more 1"]
    tree.take(tree.top, [step(4)], page_rows=3)
    assert shown(tree) == ["1", "2", "3", "4"]


def test_rails_tell_what_follows_below() -> None:
    tree = begun(1)
    branch = tree.open()
    assert branch is not None
    tree.take(branch, [step(2), step(3)], page_rows=3)
    tree.move("down", page_rows=10)
    below = tree.open()
    assert below is not None
    tree.take(below, [step(9, goes_on=False)], page_rows=3)
    assert [each.rails for each in tree.lines()] == [(), (True,), (True, False), (False,)]
