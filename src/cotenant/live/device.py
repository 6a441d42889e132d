"""The live device: the dispatcher stepped by real lanes."""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType

from cotenant.backend import Engine
from cotenant.describe import Answer, Array, Card, Count, Crew, Plan, Platform, Share
from cotenant.dispatch import Dispatcher, Steps
from cotenant.dispatch.change import in_use
from cotenant.errors import InputError
from cotenant.live.asked import Ended, answer
from cotenant.live.inputs import Specs
from cotenant.live.ledger import Ledger
from cotenant.live.leftovers import Leftovers, Needed, OnLane
from cotenant.live.overhead import Overhead
from cotenant.live.pacing import Pace, Pacing
from cotenant.live.serving import Serving
from cotenant.live.station import Station, stations
from cotenant.live.stock import Stock
from cotenant.live.terms import leaves_room, worth_loading
from cotenant.live.ward import Health, Ward
from cotenant.policy import named, policies, unlimited
from cotenant.registry import nearest
from cotenant.trace import Trace

STOP_S = 0.6
"""How long `close` waits for what runs."""


class LiveDevice:
    """Serve a crew on this machine; use it as a context manager, or `close` it.

    It holds what is served, and by what; what happens meanwhile is `Serving`'s.
    """

    def __init__(
        self,
        *,
        crew: Crew,
        platform: Platform,
        cards: Sequence[Card],
        plan: Plan,
        engines: Sequence[Engine],
        keeps_trace: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
        dispatchers: Callable[..., Steps] = Dispatcher,
        paces: bool = False,
    ) -> None:
        self._crew, self._platform, self._plan, self._clock = crew, platform, plan, clock
        self._cards: Mapping[str, Card] = {card.tenant: card for card in cards}
        tenants = crew.workload.tenants
        policy = named(policies, crew.policy, "policy")
        shares = worth_loading(plan, platform)
        dispatcher = dispatchers(tenants, shares, platform, policy, name=crew.policy, params=crew.params)
        self._ledger = Ledger(tenants=tuple(t.name for t in tenants), start_ns=clock(), keeps=keeps_trace)
        self._serving = Serving(
            tenants=tenants, platform=platform, dispatcher=dispatcher, ledger=self._ledger, clock=clock,
            receives=self._receives, specs={name: Specs(card.model) for name, card in self._cards.items()},
        )  # fmt: skip
        self._lanes, self._ongoing = self._serving.lanes, self._serving.ongoing
        shares_bandwidth = policy.share is not unlimited
        self._pacing = Pacing(dispatcher=dispatcher, cards=self._cards, governs=paces, shares=shares_bandwidth)
        self._pacing.follow(plan, clock())
        self._ongoing.pacing = self._pacing if paces or shares_bandwidth else None
        self._shares = shares
        self._stock = Stock.of(platform, engines, self._serving.back, self._serving.fault)
        self._load_first(shares)
        self._ongoing.stations = self._stations()
        self._ledger.start_ns = clock()
        self._changing = threading.Lock()
        self._leftovers = Leftovers(
            stock=self._stock, lanes=self._lanes, changing=self._changing, fault=self._serving.fault, trim=self._trim
        )
        self._serving.timer.start()
        self._lanes.need({tenant.rank == 0 for tenant in tenants}, urgent=leaves_room(tenants, plan))
        atexit.register(self.close)  # an interpreter that ends while an engine runs would abort

    def __enter__(self) -> LiveDevice:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def plan(self) -> Plan:
        """Return the plan that is served."""
        return self._plan

    @property
    def closed(self) -> str:
        """Say why no request is accepted any more; empty while they are."""
        return self._serving.closed

    @property
    def broken(self) -> str:
        """Say by which defect the device came to its end; empty where there was none."""
        return self._serving.broken

    def submit(self, tenant: str, inputs: Mapping[str, Array], *, arrival_ns: int | None = None) -> Future[Answer]:
        """Accept one request; the arrays must not be changed before it is answered.

        `arrival_ns` is the scheduled arrival by CLOCK_MONOTONIC, now if None; latency counts from it. InputError for a
        stranger, for tensors that do not fit, and on a closed device. Callbacks of the future run in the lane's thread,
        which serves nobody meanwhile: they may submit and close, but should neither wait for an answer nor exit.
        """
        specs = self._checked(tenant, inputs)
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        with self._serving.lock:
            self._serving.refuse_closed()
            if self._serving.specs.get(tenant) is not specs:  # the crew has changed meanwhile
                self._checked(tenant, inputs)
            ended = self._serving.accept(tenant, inputs, future, arrival_ns)
        answer(ended)
        return future

    def _checked(self, tenant: str, inputs: Mapping[str, Array]) -> Specs:
        """Refuse a stranger, and tensors that do not fit; return what the tenant's model takes."""
        specs = self._serving.specs.get(tenant)
        if specs is None:
            raise InputError("tenant", tenant, nearest(str(tenant), tuple(self._serving.specs)))
        specs.check(tenant, inputs)
        return specs

    def pass_over(self, tenant: str, arrival_ns: int) -> None:
        """Count a request that its client could not ask in time, as asked and dropped; InputError for a stranger."""
        with self._serving.lock:
            if tenant not in self._serving.specs:
                raise InputError("tenant", tenant, nearest(str(tenant), tuple(self._serving.specs)))
            self._ongoing.pass_over(tenant, arrival_ns, self._clock())

    async def infer(self, tenant: str, inputs: Mapping[str, Array]) -> Answer:
        """Await one request's answer; as `submit`."""
        return await asyncio.wrap_future(self.submit(tenant, inputs))

    def stats(self) -> Mapping[str, Count]:
        """Count every tenant's requests so far."""
        with self._serving.lock:
            return self._ledger.counts()

    def apply(self, plan: Plan) -> None:
        """Serve by another plan of the same crew: as `change`."""
        self.change(self._crew, tuple(self._cards.values()), plan)

    def change(self, crew: Crew, cards: Sequence[Card], plan: Plan) -> None:
        """Serve another crew: what is new is loaded first, others going on; nothing outstanding is lost, and what runs is not paused.

        Tenants are known by their names. Of one that is gone what waits is dropped; of one whose model is another, what has begun ends
        on the old one, and what waits is served by the new one if that takes the same inputs. InfeasibleError and BackendError where
        something does not fit or load, InputError for another platform or policy: then the old crew goes on.
        """
        known = {card.tenant: card for card in cards}
        with self._changing:
            self._refuse_another_start(crew)
            try:
                wards = self._stock.load(crew.workload.tenants, known, [s.option for s in worth_loading(plan, self._platform)])
                self._lanes.need({t.rank == 0 for t in crew.workload.tenants}, urgent=leaves_room(crew.workload.tenants, plan))
                with self._serving.lock:
                    self._serving.refuse_closed()
                    ended = self._swap(crew, known, plan, wards)
            finally:
                self._leftovers.settle()
        answer(ended)

    def _receives(self, tenant: str) -> bool:
        return self._stock.wards.receives(tenant)

    def _refuse_another_start(self, crew: Crew) -> None:
        """Refuse what cannot be changed while it is served; InputError."""
        for what in ("platform", "policy", "params"):
            was, asked = getattr(self._crew, what), getattr(crew, what)
            if was != asked:
                raise InputError(what, asked, f"{was} as before: another one needs a new start")

    def start_clock(self) -> int:
        """Begin the trace now; return the instant (CLOCK_MONOTONIC ns). InputError once something was asked."""
        with self._serving.lock:
            if self._ongoing.requests:
                raise InputError("device", "already in use", "a start before the first request")
            self._ledger.start_ns = self._clock()
            return self._ledger.start_ns

    def trace(self, stop_ns: int, since_ns: int = 0) -> Trace:
        """Return what happened in [0, stop_ns) since the start and after, only what ended at `since_ns` or later; with `keeps_trace`."""
        with self._serving.lock:
            self._ongoing.catch_up(changes=False)
            return self._ledger.trace(stop_ns, self._platform.name, self._crew.policy, self._crew.workload.seed, since_ns)

    def health(self) -> Mapping[str, Health]:
        """Tell how the engine process of each isolated tenant is."""
        return {name: ward.health for name, ward in self._stock.wards.by_tenant.items()}

    def pace(self, tenant: str, bytes_per_s: float | None) -> None:
        """Let a tenant's segments start at that rate at most, by the bytes that they move; None for as it likes.

        InputError for a stranger, for rank 0, for no rate, and where it is not known what its network moves.
        """
        with self._serving.lock:
            self._ongoing.catch_up()
            self._pacing.want(tenant, bytes_per_s, self._clock())
            self._ongoing.pacing = self._pacing
            ended = self._serving.decide(self._clock())
        answer(ended)

    def pacing(self) -> Mapping[str, Pace]:
        """Tell how every tenant is paced, and for whom."""
        with self._serving.lock:
            return self._pacing.told()

    def overhead(self) -> Overhead:
        """Tell what the lanes' threads have taken beside engines, segment by segment."""
        return self._lanes.overhead()

    def settle(self, timeout_s: float) -> bool:
        """Wait until nothing that an earlier crew needed is loaded any more; say whether that came in time. Nothing is paused."""
        return self._leftovers.wait(timeout_s)

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is outstanding; say whether that came in time."""
        with self._serving.lock:
            return self._serving.idle.wait_for(lambda: not self._ongoing.asked, timeout_s)

    def close(self, reason: str = "stopped") -> None:
        """Refuse new requests, drop those that wait, give those that run a moment; every one is answered or counted.

        Closing again does what an interrupted one has left to do.
        """
        with self._serving.lock:
            self._serving.closed = self._serving.closed or reason
            waiting = self._serving.counted(self._ongoing.flush(reason, self._clock()))
        answer(waiting)
        self.drain(STOP_S)
        self._serving.timer.stop()
        with self._serving.lock:
            running = self._serving.counted(self._ongoing.fail_all(f"{reason} while it ran", self._clock()))
        answer(running)
        self._leftovers.stop()
        self._stock.wards.close()
        if self._lanes.stop(0.1):
            self._stock.loaded.close()
            atexit.unregister(self.close)

    def _load_first(self, shares: Sequence[Share]) -> None:
        """Load what the plan serves; where that fails, leave no process behind."""
        try:
            self._stock.wards.by_tenant = self._stock.load(self._crew.workload.tenants, self._cards, [share.option for share in shares])
        except BaseException:
            self._stock.wards.close()
            raise

    def _stations(self) -> tuple[Station, ...]:
        urgent = leaves_room(self._crew.workload.tenants, self._plan)
        return stations(self._ongoing.dispatcher.lineup, self._stock.loaded, urgent=urgent)

    def _swap(self, crew: Crew, cards: Mapping[str, Card], plan: Plan, wards: Mapping[str, Ward]) -> list[Ended]:
        """Serve another crew from now on; return what has ended by it."""
        now_ns = self._clock()
        specs = {name: Specs(card.model) for name, card in cards.items()}
        replaced = {name for name, card in cards.items() if name in self._cards and self._cards[name].model.digest != card.model.digest}
        renewed = {name for name in replaced if specs[name].takes_the_same(self._serving.specs[name])}
        self._leftovers.before |= self._ongoing.on_lanes()
        self._shares = worth_loading(plan, self._platform)
        ended = self._ongoing.change(crew.workload.tenants, self._shares, renewed, now_ns)
        self._crew, self._cards, self._plan, self._serving.specs = crew, cards, plan, specs
        self._stock.wards.by_tenant = wards
        self._go_by(renewed)
        for name in replaced - renewed:
            ended += self._ongoing.refuse_held(name, specs[name].fits, now_ns)
        for tenant in crew.workload.tenants:
            self._serving.readmit(tenant.name)
        return self._serving.counted(ended) + self._serving.decide(now_ns)

    def _go_by(self, renewed: Collection[str] = ()) -> None:
        """Go by the dispatcher's lineup from now on."""
        self._ongoing.follow(self._stations(), renewed)
        self._pacing.cards = self._cards
        self._pacing.follow(self._plan, self._clock())

    def _trim(self, before: set[OnLane]) -> Needed | None:
        """Forget options and tenants whose last request has ended; say what is needed, None while any of `before` is on its lane."""
        with self._serving.lock:
            dispatcher = self._ongoing.dispatcher
            before &= self._ongoing.on_lanes()
            if before and not self._serving.closed:
                return None
            wanted = {share.option for share in self._shares}
            lineup = dispatcher.lineup
            used = in_use(lineup, dispatcher.state) | wanted
            gone = any(dispatcher.outstanding(i) == 0 for i in range(len(self._crew.workload.tenants), len(lineup.tenants)))
            if not self._serving.closed and (gone or set(lineup.options) - used):
                self._ongoing.catch_up()
                dispatcher.apply(self._shares)
                self._go_by()
            options = set(dispatcher.lineup.options)
            classes = {station.critical for station in self._ongoing.stations}
        return Needed(options=options, classes=classes, settled=options == wanted)
