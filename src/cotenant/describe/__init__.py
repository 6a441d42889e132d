"""What is written down: every frozen type."""

from cotenant.describe.arrival import Arrival, Bursty, Closed, External, Open, Periodic, Poisson, Replay, open_rate_per_s, outstanding
from cotenant.describe.board import Board
from cotenant.describe.cache import cache_folder
from cotenant.describe.card import OUTPUTS, Card, Segmented
from cotenant.describe.crew import Crew, Objective
from cotenant.describe.device import Answer, Array, Count, Device
from cotenant.describe.model import Cut, Layer, Model, Tensor
from cotenant.describe.network import Cost, Counts, Handover, Network, Place, Provenance, Segment
from cotenant.describe.option import ACCURACY, IN_SEGMENTS, LATENCY, Artifact, Option, Step
from cotenant.describe.plan import MOST, Bind, Dual, Goal, Leaf, Level, Plan, Price, Promise, Share, Side, Solo
from cotenant.describe.platform import Link, Memory, Platform, Preemption, Processor
from cotenant.describe.request import QUEUE_FULL, TENANT_REMOVED, TOO_LATE, Outcome, Request
from cotenant.describe.tenant import FIDELITY_FLOOR, QUEUE, Discipline, Measure, Source, Tenant
from cotenant.describe.variant import ITEM, Judged, Precision, Variant
from cotenant.describe.work import Work
from cotenant.describe.workload import Workload

__all__ = [
    "ACCURACY",
    "FIDELITY_FLOOR",
    "IN_SEGMENTS",
    "ITEM",
    "LATENCY",
    "MOST",
    "OUTPUTS",
    "QUEUE",
    "QUEUE_FULL",
    "TENANT_REMOVED",
    "TOO_LATE",
    "Answer",
    "Array",
    "Arrival",
    "Artifact",
    "Bind",
    "Board",
    "Bursty",
    "Card",
    "Closed",
    "Cost",
    "Count",
    "Counts",
    "Crew",
    "Cut",
    "Device",
    "Discipline",
    "Dual",
    "External",
    "Goal",
    "Handover",
    "Judged",
    "Layer",
    "Leaf",
    "Level",
    "Link",
    "Measure",
    "Memory",
    "Model",
    "Network",
    "Objective",
    "Open",
    "Option",
    "Outcome",
    "Periodic",
    "Place",
    "Plan",
    "Platform",
    "Poisson",
    "Precision",
    "Preemption",
    "Price",
    "Processor",
    "Promise",
    "Provenance",
    "Replay",
    "Request",
    "Segment",
    "Segmented",
    "Share",
    "Side",
    "Solo",
    "Source",
    "Step",
    "Tenant",
    "Tensor",
    "Variant",
    "Work",
    "Workload",
    "cache_folder",
    "open_rate_per_s",
    "outstanding",
]  # fmt: skip
