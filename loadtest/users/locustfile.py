"""What Locust runs. The plan is named by LOADTEST_PLAN; `python -m loadtest.scenarios` writes it."""

import os
from pathlib import Path
from typing import Any

import gevent
from locust import events

from loadtest.users.api_users import ApiUser
from loadtest.users.members import ChatterUser, ModeratorUser
from loadtest.users.run import Run
from loadtest.users.stage import read_plan
from loadtest.users.studio import CreatorUser
from loadtest.users.viewers import ViewerUser

run = Run(read_plan(Path(os.environ["LOADTEST_PLAN"])))


def set_amounts() -> None:
    """In a function: Locust takes every class it finds among the names of this module, a loop's variable included."""
    scenario = run.plan.scenario
    for kind, amount in (
        (CreatorUser, scenario.creators),
        (ChatterUser, scenario.chatters),
        (ModeratorUser, scenario.moderators),
        (ApiUser, scenario.api),
        (ViewerUser, scenario.viewers),
    ):
        kind.fixed_count, kind.abstract, kind.shared = amount, amount == 0, run


set_amounts()


@events.test_start.add_listener
def conduct(environment: Any, **_: object) -> None:
    gevent.spawn(run.conduct, environment)


@events.quitting.add_listener
def close(**_: object) -> None:
    run.close()
