"""How long after a scan its posting is in the site's PostgreSQL.

    .venv/bin/python -m benchmarks.visible [--scans 60] [--every 1.0]

Starts PostgreSQL, NATS, the site and a station of its own, all real processes, and scans one unit a
second. One row for each connector: from the moment the code is handed to the core until a query
finds the committed posting, in milliseconds.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from tests.upstream.floor import SiteProcess, StationProcess
from tests.upstream.servers import NatsServer, Postgres
from tests.upstream.test_faults import PLANT

LOOK_EVERY_S = 0.002


def seen_ms(site: SiteProcess, station: StationProcess, *, scans: int, every_s: float) -> list[int]:
    """Return how long each scan's posting took to be there."""
    took = []
    with psycopg.connect(site.database, autocommit=True) as conn, station.line() as scan:
        count = "SELECT count(*) FROM posting WHERE report_id = %s"
        for number in range(scans):
            scan("%QTY 1")
            began = time.monotonic()
            report = scan(f"WO-{number % 20 + 1}").report_id
            while conn.execute(count, [report]).fetchone() == (0,):
                time.sleep(LOOK_EVERY_S)
            took.append(round((time.monotonic() - began) * 1000))
            time.sleep(max(0.0, began + every_s - time.monotonic()))
    return sorted(took)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=60)
    parser.add_argument("--every", type=float, default=1.0)
    asked = parser.parse_args()
    print(f"{'connector':<10} {'n':>4} {'p50_ms':>7} {'p95_ms':>7} {'max_ms':>7}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres, nats = Postgres(folder / "postgres"), NatsServer(folder / "nats")
        postgres.start()
        nats.start()
        site = SiteProcess(
            folder, postgres.new_database("site"), f'[site.nats]\nurl = "{nats.url}"'
        )
        site.start()
        try:
            for kind, url in (("http", site.url), ("nats", nats.url)):
                upstream = f'[upstream]\nkind = "{kind}"\n[upstream.{kind}]\nurl = "{url}"'
                station = StationProcess(folder, kind.upper(), upstream, PLANT)
                station.start()
                try:
                    station.wait_delivered()
                    took = seen_ms(site, station, scans=asked.scans, every_s=asked.every)
                finally:
                    station.close()
                p95 = took[min(len(took) - 1, round(len(took) * 0.95))]
                middle = round(statistics.median(took))
                print(f"{kind:<10} {len(took):>4} {middle:>7} {p95:>7} {took[-1]:>7}")
        finally:
            site.close()
            nats.stop()
            postgres.stop()


if __name__ == "__main__":
    main()
