"""A ward: one tenant's engine process, kept alive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from cotenant.backend.engine import CrashError
from cotenant.describe import Array, Option, Step
from cotenant.errors import BackendError
from cotenant.live.order import Order, first_lanes, posts
from cotenant.live.origin import Origin
from cotenant.live.process import LOAD_S, GoneError, Process
from cotenant.live.wire import Born, Ended, Ready, Refused, Word
from cotenant.units import NS_PER_S

FIRST_PAUSE_S = 0.1
"""The second start in a row waits so long, each further one twice as long as the one before; the first does not wait."""

DEATHS = 8
"""So many in a row, without an answer in between, and the tenant is given up."""

COPIES = 3
"""So many deaths in a row may be those of copies of one template; then a process loads for itself."""

LEAST_BOUND_NS = NS_PER_S
BOUND = 20
"""A run may take so many times what its step takes alone, and LEAST_BOUND_NS at the least; waiting for a core is not counted."""

WIDE = 10
"""So many times longer may a lane sleep whose engine computes in threads of its own: those may have to wait for cores."""

Told = Callable[[str], None]
Fault = Callable[[BaseException], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Tell how a tenant's engine process is: its number, 0 while there is none; how often one died; and why it was given up."""

    pid: int
    deaths: int
    given_up: str


@dataclass(slots=True, kw_only=True, eq=False)
class Ward:
    """Start a tenant's engine process again whenever it ends, beside `spares` more that wait with everything loaded.

    `told` hears, in a thread of the ward, that the tenant's requests can be asked again: of a new process, or to be refused because
    it was given up. `serving` is who answers, None meanwhile.
    """

    order: Order
    origin: Origin
    spares: int
    told: Told
    fault: Fault
    memory_bytes: int | None = None
    serving: Process | None = None
    given_up: str = ""
    _all: list[Process] = field(default_factory=list)
    _keepers: list[threading.Thread] = field(default_factory=list)
    _in_a_row: int = 0
    _deaths: int = 0
    _settled: int = 0
    _refused: BackendError | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def tenant(self) -> str:
        return self.order.card.tenant

    @property
    def _engine(self) -> str:
        return next((option.artifact.engine for option in self.order.options), "process")

    @property
    def processes(self) -> tuple[Process, ...]:
        """Return those that are alive: the one that serves, spares, any that loads, and the template while it does."""
        template = self.origin.loading
        with self._changed:
            return (*self._all, *((template,) if template else ()))

    @property
    def receives(self) -> bool:
        """Say whether a request may be asked now: it is answered, or refused with the cause."""
        return self.serving is not None or bool(self.given_up)

    @property
    def health(self) -> Health:
        """Tell how the process is."""
        serving = self.serving
        return Health(pid=serving.pid if serving else 0, deaths=self._deaths, given_up=self.given_up)

    def load(self, options: Iterable[Option]) -> None:
        """Begin to load what is not loaded yet, beside what is; `wait` until it is done."""
        with self._changed:
            fresh = tuple(option for option in dict.fromkeys(options) if option not in self.order.options)
            self._settled = len(self.order.options)
            self._refused = None
            if fresh:
                self._amend((*self.order.options, *fresh))
            if not self._keepers:
                self._start_keepers()

    def wait(self) -> None:
        """Wait until everything is loaded, by spares too; BackendError, with the cause, if it cannot be."""
        with self._changed:
            self._changed.wait_for(lambda: self._refused or self.given_up or self._over.is_set() or self._all_loaded())
            if self._refused is not None:
                raise self._refused
            self._settled = len(self.order.options)
        if self.given_up:
            raise BackendError(self._engine, f"{self.tenant} is given up: {self.given_up}")

    def session(self, option: Option, step: Step, lane: int) -> RemoteSession:
        """Return the session of a step on a lane of its processor; ValueError if the option was not loaded."""
        post = list(posts(self.order.options, self.order.platform)).index((option, step, lane))
        across = first_lanes(self.order.platform)[step.processor] + lane
        bound_ns = max(LEAST_BOUND_NS, BOUND * step.duration_ns) * (WIDE if step.width > 1 else 1)
        return RemoteSession(ward=self, engine=option.artifact.engine, post=post, lane=across, bound_ns=bound_ns)

    def answered(self) -> None:
        """Note that a run came back: whatever died before, the models can be served."""
        self._in_a_row = 0

    def lose(self, process: Process) -> None:
        """Note that a process is gone, as a lane has noticed; a spare takes over at once."""
        with self._changed:
            if process in self._all:
                self._all.remove(process)
            if self.serving is process:
                self.serving = next((p for p in self._all if p.is_loaded), None)

    def close(self) -> None:
        """End the processes; whoever waits for an answer of theirs is told that they are gone."""
        self._over.set()
        with self._changed:
            self._changed.notify_all()
            held = tuple(self._all)
        for process in held:
            process.kill("stopped", spares=False)
        self.origin.close()

    def join(self) -> None:
        """Wait for the ward's threads, once the nursery is closed."""
        for keeper in self._keepers:
            if keeper is not threading.current_thread():
                keeper.join()

    def _start_keepers(self) -> None:
        for index in range(1 + self.spares):
            self._keepers.append(threading.Thread(target=self._keep, name=f"cotenant-ward-{self.tenant}-{index}", daemon=True))
            self._keepers[-1].start()

    def _all_loaded(self) -> bool:
        return len(self._all) == 1 + self.spares and all(process.version == self.order.version for process in self._all)

    def _amend(self, options: tuple[Option, ...]) -> None:
        self.order = replace(self.order, options=options, version=self.order.version + 1)
        for process in self._all:
            process.tell(self.order)
        with suppress(BackendError, OSError):  # who starts a process is told
            self.origin.tell(self.order)

    def _keep(self) -> None:
        """Keep one process: start it, hear what it says, and when it is gone start the next, at once or after a pause."""
        try:
            pause_s = 0.0
            while not self._over.wait(pause_s) and not self.given_up and not self._opening_failed():
                pause_s = self._mourn(*self._lived())
        except BaseException as error:  # noqa: BLE001  # the top of a thread: whoever waits must be told
            with self._changed:
                self.given_up = repr(error)
                self._changed.notify_all()
            self.fault(error)

    def _opening_failed(self) -> bool:
        return self._refused is not None and not self.order.options

    def _lived(self) -> tuple[Process | None, str]:
        """Start a process and see it to its end; return it, and the cause."""
        try:
            process = self._begun(self.order)
        except (BackendError, OSError) as error:
            story = error.story if isinstance(error, BackendError) else f"its process cannot be started: {error}"
            self._refuse(BackendError(self._engine, story))
            return None, story
        if self._over.is_set():
            process.kill("stopped", spares=False)
        while True:
            try:
                word = process.hear(None if process.is_loaded else LOAD_S)
            except TimeoutError:
                process.kill(f"took more than {LOAD_S:.0f} s to load")
                continue
            if word is None or isinstance(word, Ended):
                return process, process.bury(None if word is None else word.status)
            self._take(process, word)

    def _begun(self, order: Order) -> Process:
        """Start a process, which may wait for the template to load, and tell it what was ordered meanwhile."""
        process = (self.origin.start_anew if self._in_a_row >= COPIES else self.origin.start)(order)
        with self._changed:
            self._all.append(process)
            if self.order.version > order.version:
                process.tell(self.order)
        return process

    def _take(self, process: Process, word: Word) -> None:
        match word:
            case Born(pid=pid, private_bytes=private_bytes):
                process.born(pid, private_bytes)
            case Ready(version=version, threads=threads):
                self._enlist(process, version, threads)
            case Refused(engine=engine, story=story, version=version):
                if version in {0, self.order.version}:  # else that was taken back already
                    self._refuse(BackendError(engine, story))
                if not process.is_loaded:
                    process.kill(story)
            case Ended():
                pass

    def _enlist(self, process: Process, version: int, threads: tuple[int, ...]) -> None:
        with self._changed:
            process.version, process.threads = version, threads
            first = self.serving is None and process in self._all
            if first:
                self.serving = process
            self.order = replace(self.order, gentle=True)
            self._changed.notify_all()
        if first:
            self.told(self.tenant)

    def _refuse(self, error: BackendError) -> None:
        """Take back what was being loaded, and tell who waits for it."""
        with self._changed:
            if self._settled < len(self.order.options):
                self._amend(self.order.options[: self._settled])
                self._refused = error
            self._changed.notify_all()

    def _mourn(self, process: Process | None, cause: str) -> float:
        """Note a death; return for how long the next start waits."""
        if process is not None:
            self.lose(process)
        if self._over.is_set():
            return 0.0
        self._refuse(BackendError(self._engine, cause))
        with self._changed:
            self._deaths += 1
            self._in_a_row += 1
            if self._in_a_row >= DEATHS:
                self.given_up = f"{cause}, {DEATHS} times in a row"
            self._changed.notify_all()
        if self.given_up:
            self.origin.close()
            self.told(self.tenant)
        return 0.0 if self._in_a_row == 1 else FIRST_PAUSE_S * 2 ** (self._in_a_row - 2)


class RemoteSession:
    """Run one post of a tenant's engine process from one lane.

    `elsewhere_ns` is the CPU time that the last run took there.
    """

    __slots__ = ("_bound_ns", "_engine", "_lane", "_post", "_ward", "elsewhere_ns")

    def __init__(self, *, ward: Ward, engine: str, post: int, lane: int, bound_ns: int) -> None:
        self._ward, self._engine = ward, engine
        self._post, self._lane, self._bound_ns = post, lane, bound_ns
        self.elsewhere_ns = 0

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Answer one request; CrashError if the process dies or is not there, BackendError for what the engine refuses."""
        ward = self._ward
        self.elsewhere_ns = 0
        process = ward.serving
        if process is None:
            raise self._absence()
        try:
            ran = process.channels[self._lane].ask(self._post, inputs, self._bound_ns)
        except GoneError as gone:
            ward.lose(process)
            raise self._loss(process, began=gone.began) from gone
        ward.answered()
        self.elsewhere_ns = ran.cpu_ns
        if ran.failure:
            raise BackendError(self._engine, ran.failure)
        return ran.outputs

    def close(self) -> None:
        """Do nothing: the ward ends the process, which other sessions use, too."""

    def _absence(self) -> BackendError:
        if self._ward.given_up:
            return BackendError(self._engine, f"given up: {self._ward.given_up}")
        return CrashError(self._engine, "its process is being started again", tenant=self._ward.tenant, began=False)

    def _loss(self, process: Process, *, began: bool) -> BackendError:
        cause = process.obituary() if began else process.blame
        if began and not process.spares:
            return BackendError(self._engine, cause)
        return CrashError(self._engine, cause or "its process is gone", tenant=self._ward.tenant, began=began)
