"""Where a tenant's engine processes come from: its template, or else the fork server."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from cotenant.errors import BackendError
from cotenant.live.nursery import Nursery
from cotenant.live.order import Order
from cotenant.live.process import Process
from cotenant.live.template import Link, Template

_ATTEMPTS = 2


@dataclass(slots=True, kw_only=True)
class Origin:
    """Start a tenant's engine processes, by forking its template where there can be one.

    What is loaded once is shared until it is written to: a copy starts within milliseconds and takes no more memory than it uses.
    For another order there is another template; the one before stays as long as copies of it do. Where one cannot be copied, since an
    engine leaves threads running or refuses to load there, each process loads for itself.
    """

    nursery: Nursery
    _template: Template | None = None
    _forgone: int = -1
    _closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def loading(self) -> Process | None:
        """Return the template while it loads."""
        template = self._template
        return template.process if template is not None and template.is_fit is None else None

    @property
    def pid(self) -> int:
        """Return the number of the process that others are copies of, 0 if there is none."""
        template = self._template
        return template.process.pid if template is not None and template.is_fit else 0

    def start(self, order: Order) -> Process:
        """Start a process that serves an order; BackendError where its models cannot be loaded."""
        for _ in range(_ATTEMPTS):
            template = self._for(order)
            if template is None:
                break
            try:
                if template.wait():
                    return template.fork(order)
            except ConnectionError:
                self._forget(template)  # it had died, which is noticed when it is asked
            except BackendError:
                self._forget(template)
                raise
            else:
                self._forgo(template.order)
        return self.nursery.start(order)

    def start_anew(self, order: Order) -> Process:
        """Start a process that loads for itself, should copies fail for what they are copies of; errors as `start`."""
        self._forgo(order)
        return self.nursery.start(order)

    def tell(self, order: Order) -> None:
        """Have an order loaded for the processes to come; BackendError or OSError where nothing can be started."""
        self._for(order)

    def close(self) -> None:
        """Start nothing from now on; a template ends with its last copy, or at once where whoever waits for it is told."""
        with self._lock:
            self._closed = True
            template, self._template = self._template, None
            if template is not None:
                template.stop()

    def _for(self, order: Order) -> Template | None:
        """Return the template for an order, which may have to load yet; None where there is to be none."""
        with self._lock:
            known = self._template
            if known is not None and not set(order.options) <= set(known.order.options):
                self._retire(known)
            if self._template is None and not self._closed and order.version > self._forgone and not _is_wide(order):
                process, link = self.nursery.start_template(order)
                self._template = Template(order=order, process=process, link=Link(link))
            return self._template

    def _forgo(self, order: Order) -> None:
        """Have no template for an order."""
        with self._lock:
            self._forgone = max(self._forgone, order.version)
            if self._template is not None and self._template.order.version <= self._forgone:
                self._retire(self._template)

    def _forget(self, template: Template) -> None:
        with self._lock:
            self._retire(template)

    def _retire(self, template: Template) -> None:
        if self._template is template:
            self._template = None
            template.retire()


def _is_wide(order: Order) -> bool:
    """Say whether an engine is to compute in threads of its own."""
    return any(step.width > 1 for option in order.options for step in option.chain)
