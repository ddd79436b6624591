"""Races, found and not waited for: search the orders in which events can happen, and tell the one that goes wrong.

def make(world: World) -> Play: ...      # workers, provider and store, built anew for each execution
explored = explore(Scenario(make))       # the smallest failing schedule, or that there is none
print(table(explored.failure))           # in HTTP words
replay(Scenario(make), "0,1,1")          # again
"""

from __future__ import annotations

from pytest_connproof.schedule.drawn import campaign
from pytest_connproof.schedule.loop import ControlledLoop, ScheduleUnfit, at_once
from pytest_connproof.schedule.playing import Failure, Performance, Play, Scenario, Schedule, Unrepeatable, replay
from pytest_connproof.schedule.search import Explored, explore
from pytest_connproof.schedule.simulated import reaching
from pytest_connproof.schedule.telling import headline, table
from pytest_connproof.schedule.world import START, Faults, Provider, World

__all__ = [
    "START",
    "ControlledLoop",
    "Explored",
    "Failure",
    "Faults",
    "Performance",
    "Play",
    "Provider",
    "Scenario",
    "Schedule",
    "ScheduleUnfit",
    "Unrepeatable",
    "World",
    "at_once",
    "campaign",
    "explore",
    "headline",
    "reaching",
    "replay",
    "table",
]
