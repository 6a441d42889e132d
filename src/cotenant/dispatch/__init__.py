"""The state and its laws: queues, promises, decisions."""

from cotenant.dispatch.decide import DROP, EVICT, RESUME, START, SUSPEND
from cotenant.dispatch.dispatcher import Decision, Dispatcher, Steps
from cotenant.dispatch.lineup import Lineup
from cotenant.dispatch.state import NONE, State

__all__ = ["DROP", "EVICT", "NONE", "RESUME", "START", "SUSPEND", "Decision", "Dispatcher", "Lineup", "State", "Steps"]
