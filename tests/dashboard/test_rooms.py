"""Who follows one month through the callback that draws a page passes each room once or twice."""

from __future__ import annotations

from benchmarks.rooms import DRAWS, one_month, walk
from oversight.settings import DataFolder


def test_one_month_passes_each_room_once_or_twice(dashboard_folder: DataFolder) -> None:
    found = walk(one_month(dashboard_folder), DRAWS)
    order = list(dict.fromkeys(stay.room for stay in found.stays(with_tools=True)))
    rooms = [
        f"dashboard/{name}.py" for name in ("app", "shelf", "pages/funding", "queries", "heads", "figures")
    ]
    assert [room for room in order if room in rooms] == rooms
    assert {room: count for room, count in found.visits().items() if count > 2} == {}


def test_the_page_asks_for_everything_of_its_own_before_it_draws(dashboard_folder: DataFolder) -> None:
    stays = walk(one_month(dashboard_folder), DRAWS).stays(with_tools=True)
    of_page = [stay.room for stay in stays if stay.source == "dashboard/pages/funding.py"]
    last_asked = len(of_page) - 1 - of_page[::-1].index("dashboard/queries.py")
    drawn = [of_page.index(f"dashboard/{room}.py") for room in ("heads", "components", "figures")]
    assert last_asked < min(drawn)
