"""Ten thousand generated page addresses in the scope of one county and of one township: what names another unit.

Run as `python -m tests.accounts.many_addresses --data FOLDER [--number 10000]` on a folder with an edition; it works in
a copy.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from oversight.dashboard.app import create_app
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.accounts.asking import COUNTY, TOWN, Browser, Others
from tests.accounts.conftest import with_accounts
from tests.accounts.test_access import leaks


def main() -> int:
    """Print how many were tried and how many leaked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    source = DataFolder.at(args.data)
    # Beside the source, so that files can be linked.
    with tempfile.TemporaryDirectory(dir=source.root.parent) as place:
        folder = with_accounts(source, Path(place))
        edition = find_edition(folder)
        app = create_app(folder)
        wrong = 0
        for name, scope, number in (
            ("analyst", COUNTY, args.number * 4 // 5),
            ("reporter", TOWN, args.number // 5),
        ):
            browser = Browser(app.server.test_client())
            browser.sign_in(name)
            start = time.monotonic()
            found = leaks(browser, edition, Others(edition.warehouse, scope), number, args.seed)
            wrong += len(found)
            print(
                f"{name} in {scope}: {number} addresses, {len(found)} leaks, {time.monotonic() - start:.0f} s"
            )
            for leak in found[:20]:
                print("  ", *leak)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
