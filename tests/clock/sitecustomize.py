"""Python looks for this file when it starts: with this folder on its path and `OVERSIGHT_TEST_LATER` set, a program and whatever
it starts lives so many seconds later."""

from __future__ import annotations

import os
import time

if "OVERSIGHT_TEST_LATER" in os.environ:
    import time_machine

    time_machine.travel(time.time() + float(os.environ["OVERSIGHT_TEST_LATER"]), tick=True).start()
