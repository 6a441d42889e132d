"""What is loaded: sessions here, and engine processes of isolated tenants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cotenant.backend import Engine
from cotenant.describe import Card, Option, Platform, Tenant
from cotenant.live.loaded import Home, Loaded
from cotenant.live.ward import Fault, Told, Ward
from cotenant.live.wards import Wards, refuse_beyond_budgets
from cotenant.plan.budget import refuse_both_at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Load what a crew is served with beside what is there, and let go of what nobody needs."""

    loaded: Loaded
    wards: Wards

    @classmethod
    def of(cls, platform: Platform, engines: Sequence[Engine], told: Told, fault: Fault) -> Stock:
        """Return a stock with nothing in it."""
        return cls(
            loaded=Loaded(engines={engine.name: engine for engine in engines}, platform=platform),
            wards=Wards(engines=engines, platform=platform, told=told, fault=fault),
        )

    def load(self, tenants: Iterable[Tenant], cards: Mapping[str, Card], options: Collection[Option]) -> Mapping[str, Ward]:
        """Load and warm what is not loaded yet; return the wards by which the tenants are to be served from then on.

        InfeasibleError, before anything is loaded, where models do not fit their tenant's memory, or the machine's beside what is
        loaded; BackendError where an engine cannot. Then `keep` lets go of what came of it.
        """
        told = tuple(tenants)
        refuse_beyond_budgets(told, options)
        refuse_both_at_once(self.loaded.options, options, self.loaded.platform)
        wards = self.wards.wanted(told, cards)
        self.loaded.load({option: self._home(option, wards, cards) for option in options})
        return wards

    def _home(self, option: Option, wards: Mapping[str, Ward], cards: Mapping[str, Card]) -> Home:
        """Return where an option is served; here from the file that it was loaded from, though the same model has moved."""
        if option.tenant in wards:
            return wards[option.tenant]
        known = self.loaded.home(option)
        return known if isinstance(known, Card) else cards[option.tenant]

    def keep(self, options: Collection[Option]) -> None:
        """Let go of all but these options, and the wards of those who are served; nothing else may run."""
        self.loaded.keep(options)
        self.wards.keep({*self.loaded.wards(), *self.wards.by_tenant.values()})
