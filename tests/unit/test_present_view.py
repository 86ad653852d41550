"""The station between scans, in words (screens 4, 5, 6)."""

from datetime import UTC, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from mes_terminal.domain.view import (
    CountView,
    MountView,
    OrderView,
    PreflightView,
    ScannerView,
    ScanView,
    StationView,
    UpstreamView,
)
from mes_terminal.tui import present_view as pv
from mes_terminal.tui.words import words_for

ENGLISH, GERMAN = words_for("en"), words_for("de")
NOW = "2026-11-20T14:00:00.000000Z"


def order(**changes: Any) -> OrderView:
    base: dict[str, Any] = {
        "work_order": "WO-1", "item": "CHAIR-4", "description": "", "quantity": "100",
        "completed": "63", "scrapped": "2", "remaining": "35", "uom": "pcs", "status": "started",
        "due_at": "2026-11-20T16:00:00.000000Z",
    }  # fmt: skip
    return OrderView(**(base | changes))


def station(**changes: Any) -> StationView:
    base: dict[str, Any] = {"station": "S", "mode": "live", "now": NOW, "order": order()}
    return StationView(**(base | changes))


def test_each_mode_has_a_word_of_its_own_and_only_live_is_no_practice() -> None:
    """Screens 4: TEST and TRAINING must not look like LIVE."""
    for words in (ENGLISH, GERMAN):
        told = {mode: pv.mode_texts(station(mode=mode), words)
                for mode in ("live", "test", "training")}  # fmt: skip
        assert len({word for word, _ in told.values()}) == 3
        assert [bool(warning) for _, warning in told.values()] == [False, True, True]
    assert [pv.is_practice(station(mode=mode)) for mode in ("live", "test", "training")] == [
        False, True, True,
    ]  # fmt: skip
    assert not pv.is_practice(None)


def test_progress_is_exact_and_never_rounds_up_to_done() -> None:
    progress = pv.progress_of(order(quantity="1000", completed="999", scrapped="0"), ENGLISH)
    assert progress.cells(100) == (99, 0)
    assert pv.progress_of(order(), ENGLISH).cells(50) == (31, 1)
    assert pv.progress_of(order(completed="140"), ENGLISH).cells(10) == (10, 0)
    assert pv.progress_of(order(quantity="?"), ENGLISH).cells(10) == (0, 0)


def test_due_says_today_another_day_and_overdue() -> None:
    def due(at: str | None) -> pv.Piece:
        return pv.due_text(order(due_at=at), station(), ENGLISH, UTC)

    assert due("2026-11-20T16:00:00.000000Z").text == "due today 16:00"
    assert due("2026-11-21T16:00:00.000000Z").text == "due 2026-11-21"
    assert due("2026-11-20T13:00:00.000000Z") == pv.Piece("OVERDUE 13:00", "alert")
    assert due(None).text == ""
    assert due("soon").text == ""


def test_today_is_a_day_of_the_station_not_of_greenwich() -> None:
    tokyo = timezone(timedelta(hours=9))
    piece = pv.due_text(order(due_at="2026-11-20T16:00:00.000000Z"), station(), ENGLISH, tokyo)
    assert piece.text == "due 2026-11-21"


def test_a_sentence_of_the_core_tells_times_as_the_clock_on_the_wall_does() -> None:
    told = "WO-1 was closed at 2026-11-20T23:05:12.100000Z by 1001"
    berlin = ZoneInfo("Europe/Berlin")
    assert pv.with_local_times(told, berlin) == "WO-1 was closed at 2026-11-21 00:05 by 1001"
    for plain in ("WO-1 is closed", "9999-99-99T99:99:99.999999Z", "0001-01-01T00:00:00.000000Z"):
        assert pv.with_local_times(plain, ZoneInfo("America/New_York")) == plain


def test_next_scans_follow_the_state() -> None:
    assert pv.next_scan_texts(station(order=None), ENGLISH) == ["an order", "your badge"]
    assert pv.next_scan_texts(station(pending_verb="SHORT"), ENGLISH) == [
        "the order to close short"
    ]
    texts = pv.next_scan_texts(station(person="1", can_undo="unit 63"), ENGLISH)
    assert texts[0] == "a unit of CHAIR-4"
    assert texts[-1] == "%UNDO takes back unit 63"
    taken_back = station(order=order(status="released"))
    assert pv.next_scan_texts(taken_back, ENGLISH)[0].startswith("WO-1 for all ")


def test_a_waiting_command_says_what_it_waits_for() -> None:
    view = station(pending_verb="SHORT", pending_argument="MATERIAL")
    assert pv.pending_text(view, ENGLISH).startswith("%SHORT MATERIAL waits: scan the order")
    assert pv.pending_text(station(pending_quantity="1.5"), GERMAN).startswith("Menge 1,5 wartet")
    assert pv.pending_text(station(), ENGLISH) == ""
    assert pv.pending_text(station(pending_verb="NEWER"), ENGLISH).startswith("%NEWER waits")


def test_preflight_names_what_will_not_post() -> None:
    """`close now: 41 lines post, 1 will not: CHAIN short 3 m` (screens 6)."""
    flight = PreflightView(lines_post=41, lines_short=1, shortages=["CHAIN short 3 m"])
    piece = pv.preflight_text(station(preflight=flight), ENGLISH)
    assert piece == pv.Piece("41 lines would post, 1 not: CHAIN short 3 m", "alert")
    good = pv.preflight_text(station(preflight=PreflightView(lines_post=3, lines_short=0)), ENGLISH)
    assert good.emphasis == "plain"


def test_mounted_containers_say_what_is_left_and_what_follows() -> None:
    mount = MountView(
        position="P", item="LEG", lot="L-78", container=None, left="1544", uom="m", then_lot="L-79"
    )
    assert pv.mounted_texts(station(mounted=[mount]), ENGLISH) == [
        "LEG L-78: 1544 m left, then L-79"
    ]


def test_the_status_line_alerts_for_what_needs_a_person_only() -> None:
    calm = station(scanners=[ScannerView(name="st02", state="ready")])
    assert [p.text for p in pv.status_pieces(calm, ENGLISH)] == [
        "st02 ready",
        "all sent",
        "no exceptions",
    ]
    assert all(p.emphasis == "muted" for p in pv.status_pieces(calm, ENGLISH))
    bad = station(
        scanners=[ScannerView(name="st02", state="gone")],
        postings_waiting=3,
        oldest_waiting_at="2026-11-20T12:58:00.000000Z",
        exceptions_open=7,
        clock_in_doubt=True,
    )
    alerts = [p.text for p in pv.status_pieces(bad, ENGLISH) if p.emphasis == "alert"]
    assert alerts == ["CLOCK IN DOUBT", "st02 UNPLUGGED"]


def postings(**changes: Any) -> tuple[str, str, str]:
    """Return what the status line says of the outbox, in English and German, and how strongly."""
    waiting, oldest = changes.pop("waiting", 0), changes.pop("oldest", None)
    view = station(
        postings_waiting=waiting,
        oldest_waiting_at=f"2026-11-{oldest}:00.000000Z" if oldest else None,
        upstream=UpstreamView(**changes),
    )
    pieces = [pv.status_pieces(view, words)[1] for words in (ENGLISH, GERMAN)]
    return pieces[0].text, pieces[1].text, pieces[0].emphasis


def test_thousands_stand_apart_on_the_status_line_as_everywhere() -> None:
    """UP-6: days offline."""
    assert postings(state="offline", waiting=11_124, oldest="20T13:46")[:2] == (
        "11 124 waiting, oldest 00:14", "11 124 warten, älteste 00:14"
    )  # fmt: skip
    assert postings(state="wrong", waiting=11_124)[0] == "NOTHING IS SENT, 11 124 waiting"
    many = station(exceptions_open=12_345)
    assert pv.status_pieces(many, ENGLISH)[-1].text == "open exceptions: 12 345 (F7)"


def test_the_status_line_says_how_far_the_erp_is_behind() -> None:
    """UP-6: the freshness clock; what waits here adds to it."""
    assert postings(state="online", behind_s=4.2) == (
        "ERP is 4 s behind, 0 waiting", "ERP ist 4 s zurück, 0 warten", "muted"
    )  # fmt: skip
    assert postings(state="online", behind_s=4.0, waiting=2, oldest="20T13:59") == (
        "ERP is 1 min behind, 2 waiting", "ERP ist 1 min zurück, 2 warten", "plain"
    )  # fmt: skip
    assert postings(state="online") == ("all sent", "alles gesendet", "muted")


def test_being_offline_is_no_alarm_until_a_posting_is_old() -> None:
    """UP-6: `12 waiting, oldest 00:14`; `alarms.posting_age_h` makes it a warning."""
    assert postings(state="offline", waiting=12, oldest="20T13:46") == (
        "12 waiting, oldest 00:14", "12 warten, älteste 00:14", "plain"
    )  # fmt: skip
    assert postings(state="offline") == ("offline, 0 waiting", "offline, 0 warten", "muted")
    assert postings(state="offline", waiting=1, oldest="19T13:46", warn_after_h=24) == (
        "1 waiting, oldest 24:14", "1 warten, älteste 24:14", "alert"
    )  # fmt: skip
    assert postings(state="offline", waiting=1, oldest="16T13:46")[0] == "1 waiting, oldest 4 days"
    assert postings(state="off", waiting=1, oldest="20T13:46", warn_after_h=1)[2] == "plain"


def test_the_desk_says_the_same_where_something_is_delivered() -> None:
    """UP-6: also at the supervisor's screen; nothing on a training copy."""
    online = station(upstream=UpstreamView(state="online", behind_s=4.0))
    assert pv.freshness(online, ENGLISH).text == "ERP is 4 s behind, 0 waiting"
    for view in (None, station(), station(upstream=UpstreamView())):
        assert not pv.freshness(view, ENGLISH).text


def test_wrong_settings_are_alarmed_at_once() -> None:
    """Nothing goes until a person mends them."""
    assert postings(state="wrong", trouble="The token file cannot be read.", waiting=3) == (
        "NOTHING IS SENT, 3 waiting", "NICHTS WIRD GESENDET, 3 warten", "alert"
    )  # fmt: skip


def test_an_open_count_is_said_first_with_how_far_it_is() -> None:
    """BF-32."""
    for items, english, german in [
        (0, "COUNT LINE open: 0 items counted", "ZÄHLUNG LINE offen: 0 Artikel gezählt"),
        (1, "COUNT LINE open: 1 item counted", "ZÄHLUNG LINE offen: 1 Artikel gezählt"),
        (3, "COUNT LINE open: 3 items counted", "ZÄHLUNG LINE offen: 3 Artikel gezählt"),
    ]:
        view = station(count=CountView("LINE", items))
        assert pv.status_pieces(view, ENGLISH)[0] == pv.Piece(english, "strong")
        assert pv.status_pieces(view, words_for("de"))[0].text == german


def test_last_scans_have_a_tone_and_words_in_both_languages() -> None:
    scan = ScanView(
        at=NOW, code="4711", outcome="rejected", reason="order_on_hold", message="WO-1 is on hold"
    )
    view = station(last_scans=[scan])
    assert pv.last_scan_lines(view, ENGLISH, UTC) == [
        pv.ScanLine("14:00:00", "stop", "4711", "WO-1 is on hold")
    ]
    assert pv.last_scan_lines(view, GERMAN, UTC)[0].sentence == "Der Auftrag ist gesperrt."
