"""What the station answered and what its books say, in the words of docs/rules.md.

`told` puts an outcome into facts; `QUESTIONS` are what an example may ask of the books, by their
first word. All of it comes from the lists of the command line.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import Consumed, Outcome
from mes_terminal.store.permits import Scope
from mes_terminal.usecases.grant_permit import Wanted, grant_permit, is_situation
from mes_terminal.usecases.resolve_exceptions import check_decision, resolve_exception
from tests.plants import Row, Station
from tests.rules_facts import Seen, Sight, seen

NOTHING: Final = "nothing"


def told(outcome: Outcome) -> list[Seen]:
    """Return the facts of an outcome: what it is, and what it took, made, scrapped and opened."""
    result = seen(
        outcome.outcome, outcome.reason, outcome.quantity, outcome.item,
        least=1 if outcome.reason is None else 2,
    )  # fmt: skip
    return [
        result,
        *_named(outcome),
        *_drawn("takes", outcome.consumed),
        *_each("makes", (
            seen("makes", made.item, made.lot or made.serial, made.quantity, "at", made.location,
                 least=3, group="makes")
            for made in outcome.produced
        )),
        *_drawn("scraps", outcome.scrapped),
        *(
            seen("opens", each.kind, each.item, each.quantity, told=True, group="opens")
            for each in outcome.exceptions
        ),
    ]  # fmt: skip


def _named(outcome: Outcome) -> list[Seen]:
    named = {
        "order": outcome.work_order, "lot": outcome.lot, "serial": outcome.serial,
        "status": outcome.order_status,
    }  # fmt: skip
    return [seen(word, name) for word, name in named.items() if name is not None]


def _drawn(word: str, draws: Iterable[Consumed]) -> list[Seen]:
    return _each(word, (
        seen(word, each.item, each.lot or each.serial, each.quantity, each.certainty,
             least=4 if each.lot or each.serial else 3, group=f"{word} {each.item}")
        for each in draws
    ))  # fmt: skip


def _each(word: str, facts: Iterable[Seen]) -> list[Seen]:
    return list(facts) or [seen(word, NOTHING)]


def _listed(facts: Iterable[Seen], texts: Iterable[str | None] = ()) -> Sight:
    """Return what an example must show whole: a list, or that there is nothing in it."""
    return Sight(list(facts) or [seen(NOTHING)], [text for text in texts if text])


def _item(words: str) -> Seen:
    """Return one of a list, all of which must be shown."""
    return seen(words, told=True, group="list")


def stock(station: Station, words: Sequence[str]) -> Sight:
    """`stock ITEM [LOT] [at PLACE]`: how much lies there, of all its lots if none is named.

    What never lay there is no zero: it is misspelt.
    """
    named, place = _place(words)
    moved = [row for row in station.rows("movements", item=named[0]) if _is(row, named)]
    if not any(place in (row["from"], row["to"]) for row in moved):
        return Sight([seen("never")])
    rows = [row for row in station.rows("stock", item=named[0], location=place) if _is(row, named)]
    return Sight([seen(_sum(row["quantity"] for row in rows))])


def order(station: Station, words: Sequence[str]) -> Sight:
    """`order NUMBER`: its status, and how many are ordered, completed, scrapped, remaining."""
    row = station.order(words[0])
    counts = {key: row[key] for key in ("completed", "scrapped", "remaining")}
    ordered = seen(row["quantity"], "ordered")
    revision = seen("revision", row["revision"])
    counted = [seen(count, key) for key, count in counts.items()]
    return Sight([seen(row["status"]), ordered, *counted, revision])


def line(station: Station, words: Sequence[str]) -> Sight:
    """`line NUMBER LINE`: the line of the snapshot, and what it was issued and owes."""
    row = station.line(*words)
    method, decided = row["issue_method"], row["decided_by"]
    places = decided.get("supply_location")
    return Sight([
        seen(row["component"]),
        seen("needs", row["quantity"]),
        seen("issued", row["issued"]),
        seen("owed", row["owed"]),
        seen(method, "by", decided.get("issue_method"), least=1),
        seen(row["basis"]),
        seen("operation", row["operation"] or "none"),
        seen("from", row["supply_location"], "by", places, least=2),
    ])  # fmt: skip


def lines(station: Station, words: Sequence[str]) -> Sight:
    """`lines NUMBER`: the lines of the snapshot in their order."""
    rows = station.rows("order_lines", work_order=words[0])
    return _listed(_item(row["line"]) for row in rows)


def exceptions(station: Station, words: Sequence[str]) -> Sight:
    """`exceptions [NUMBER]`: status, kind, item and what is open of each; its texts."""
    rows = station.rows("exceptions", **({"work_order": words[0]} if words else {}))
    texts = (text for row in rows for text in _texts(row))
    keys = ("status", "kind", "item", "quantity")
    return _listed((_item(_words(row, *keys)) for row in rows), texts)


def movements(station: Station, words: Sequence[str]) -> Sight:
    """`movements ITEM [LOT]`: from where to where, how much, what kind, by which rule."""
    rows = [row for row in station.rows("movements", item=words[0]) if _is(row, words)]
    return _listed(
        seen(
            row["from"], "→", row["to"], row["quantity"], row["kind"],
            f"by {row['source_rule']}" if row["source_rule"] else None,
            least=4, told=True, group="list",
        )
        for row in rows
    )  # fmt: skip


def lot(station: Station, words: Sequence[str]) -> Sight:
    """`lot ITEM LOT`: its status, expiry, and how much of it there is."""
    (row,) = (row for row in station.rows("lots", item=words[0]) if row["lot"] == words[1])
    expires = seen("expires", row["expires_on"] or "never")
    return Sight([seen(row["status"]), expires, seen("on hand", row["on_hand"])])


def made_of(station: Station, words: Sequence[str]) -> Sight:
    """`made-of ITEM LOT [COMPONENT]`: each edge into it, as recorded, reversals too."""
    nodes, edges = _trace(station, words, "backward")
    found = []
    for each in edges:
        child = nodes[each["from"]]
        if each["to"] == 0 and words[2:] in ([], [child["item"]]):
            found.append(_item(f"{_name(child)} {each['quantity']} {each['certainty']}"))
    return _listed(found)


def trace(station: Station, words: Sequence[str]) -> Sight:
    """`trace ITEM LOT [forward]`: all that is reached, nearest first."""
    nodes, _ = _trace(station, words, "forward" if words[2:] == ["forward"] else "backward")
    return _listed(_item(_name(node)) for node in nodes[1:])


def _trace(station: Station, words: Sequence[str], way: str) -> tuple[list[Row], list[Row]]:
    is_lot = any(row["lot"] == words[1] for row in station.rows("lots", item=words[0]))
    name = {"lot" if is_lot else "serial": words[1]}
    rows = station.rows("trace", item=words[0], direction=way, all="yes", **name)
    nodes = [row["node"] for row in rows if "node" in row]
    return nodes, [row["edge"] for row in rows if "edge" in row]


def cost(station: Station, words: Sequence[str]) -> Sight:
    """`cost NUMBER`: its total, what a unit comes to, the variances, and each line's cost."""
    (row,) = station.rows("order_costs", work_order=words[0])
    keys = ("total", "per_unit", "standard", "variance", "usage_variance")
    facts = [seen(key.replace("_", " "), row[key]) for key in keys]
    for each in row["lines"]:
        what = each["item"] or each["operation"]
        facts.append(seen(each["kind"].replace("_", " "), what, each["cost"]))
    return Sight(facts, [str(row["incomplete"])])


def labour(station: Station, words: Sequence[str]) -> Sight:
    """`labour NUMBER`: what each event says of each operation that gained: units and minutes."""
    events = [row["event"] for row in station.rows("outbox") if row["subject"] == words[0]]
    return _listed(
        _item(
            f"{each['operation']} {each['work_centre']} {each['good']} good "
            f"setup {each['setup_minutes']} run {each['run_minutes']}"
        )
        for event in events
        for each in event["data"].get("labour_actuals", [])
    )


def events(station: Station, words: Sequence[str]) -> Sight:
    """`events TYPE`: of each who did it, who approved, and why."""
    rows = station.rows("audit", type=words[0])
    return _listed(_item(_words(row, "person", "second_person", "reason") or "one") for row in rows)


def resolve(station: Station, words: Sequence[str]) -> Sight:
    """`resolve ID by BADGE post | lot LOT | item ITEM | quantity N | write-off REASON`, or several
    of `lot`, `item` and `quantity`: what became of the exception."""
    number, by, badge, *rest = words
    assert by == "by", words
    said = dict(zip(rest[::2], rest[1::2], strict=False)) if rest != ["post"] else {}
    decision = (
        Decision(how="write_off", reason=said["write-off"]) if "write-off" in said
        else Decision(how="change" if said else "post", **said)
    )  # fmt: skip
    check_decision(station.db, [int(number)], decision, by=badge)
    ended = resolve_exception(
        station.db, int(number), decision, by=badge, rules=station.rules, now=station.now
    )
    station.heal()
    facts = [seen(ended.outcome), *_drawn("takes", ended.posted)]
    return Sight([*facts, *_drawn("scraps", ended.scrapped)], [ended.message])


def permit(station: Station, words: Sequence[str]) -> Sight:
    """`permit SITUATION ITEM [QUANTITY] by BADGE`: what a person lets pass until the shift ends."""
    situation, item, *box, by, badge = words
    assert by == "by", words
    granted = grant_permit(
        station.db,
        Scope(situation=is_situation(situation), item=item, lot=None, work_order=None),
        Wanted(quantity=box[0] if box else None, reason="RELEASED"),
        by=badge, rules=station.rules, now=station.now,
    )  # fmt: skip
    return Sight([seen("granted", granted.quantity)], [granted.message])


def doctor(station: Station, _words: Sequence[str]) -> Sight:
    """`doctor`: whether its checks of the books are all right."""
    faults = station.faults()
    return Sight([] if faults else [seen("ok")], faults)


QUESTIONS: Final[dict[str, Callable[[Station, Sequence[str]], Sight]]] = {
    "stock": stock, "order": order, "line": line, "lines": lines, "exceptions": exceptions,
    "movements": movements, "lot": lot, "made-of": made_of, "trace": trace,
    "cost": cost, "labour": labour, "events": events, "resolve": resolve, "permit": permit,
    "doctor": doctor,
}  # fmt: skip


def _place(words: Sequence[str]) -> tuple[Sequence[str], str]:
    """Return what was named and where it lies; `LINE` where no place is named."""
    if "at" in words:
        at = words.index("at")
        return words[:at], words[at + 1]
    return words, "LINE"


def _is(row: Row, words: Sequence[str]) -> bool:
    """Whether a row is of the lot or serial named after the item; of any if none is."""
    return len(words) < 2 or words[1] in (row["lot"], row["serial"])


def _name(node: Row) -> str:
    return _words(node, "item", "lot", "serial", "work_order")


def _words(row: Row, *keys: str) -> str:
    return " ".join(str(row[key]) for key in keys if row[key] is not None)


def _texts(row: Row) -> list[str]:
    texts = [row["cause"], row["blocking"], row["resolution"], *row["suggestions"]]
    return [text for text in texts if text]


def _sum(quantities: Iterable[str]) -> str:
    total = sum(map(Decimal, quantities), Decimal(0))
    return f"{total.normalize():f}" if total else "0"
