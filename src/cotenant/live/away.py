"""Requests whose engine process is gone, until they are asked again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Away:
    """Hold them by tenant, oldest first, each under a key below 0, which no slot has.

    Used under the device's lock alone.
    """

    _held: dict[str, list[int]] = field(default_factory=dict)
    _returned: set[int] = field(default_factory=set)

    def may_return(self, request: int, *, began: bool) -> bool:
        """Say whether a request may be asked again: always if it had not begun, else once."""
        if not began:
            return True
        first = request not in self._returned
        self._returned.add(request)
        return first

    def hold(self, tenant: str, request: int) -> int:
        """Keep a request; return its key."""
        self._held.setdefault(tenant, []).append(~request)
        return ~request

    def released(self, tenant: str) -> list[int]:
        """Let a tenant's requests go; return their keys."""
        return sorted(self._held.pop(tenant, []), reverse=True)

    def crowded_out(self, tenant: str, most: int) -> list[int]:
        """Let the oldest of a tenant's requests go, where more are held than may wait; return their keys."""
        held = self._held[tenant]
        held.sort(reverse=True)
        gone, held[:] = held[: max(0, len(held) - most)], held[-most:]
        return gone

    def tenants(self) -> tuple[str, ...]:
        """Name those of whom any are held."""
        return tuple(self._held)

    def flush(self) -> list[int]:
        """Let all go; return their keys."""
        held = [key for keys in self._held.values() for key in keys]
        self._held.clear()
        return held

    def forget(self, request: int) -> None:
        """Note that a request has ended."""
        self._returned.discard(request)
