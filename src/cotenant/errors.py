"""The tree of errors.

CotenantError
├── InputError        what the user wrote cannot be used: exit 2
├── InfeasibleError   the crew does not fit the platform: exit 2
├── DecisionError     a policy raised, or decided the impossible
└── BackendError      an engine failed to load or to run
"""

from __future__ import annotations


class CotenantError(Exception):
    """The root of every error that cotenant raises on purpose."""


class InputError(CotenantError):
    """Refuse what the user wrote, in one line: where, what, and what would be allowed."""

    def __init__(self, path: str, value: object, allowed: str) -> None:
        super().__init__(path, value, allowed)
        self.path = path
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.path}: {self.value}; {self.allowed}"


class InfeasibleError(CotenantError):
    """Say which resource is short, by how much, and what would fit, in one line."""

    def __init__(self, resource: str, shortfall: str, would_fit: str) -> None:
        super().__init__(resource, shortfall, would_fit)
        self.resource = resource
        self.shortfall = shortfall
        self.would_fit = would_fit

    def __str__(self) -> str:
        return f"{self.resource}: {self.shortfall}; {self.would_fit}"


class DecisionError(CotenantError):
    """Name the policy, the instant and the state in which a decision went wrong."""

    def __init__(self, policy: str, now_ns: int, story: str) -> None:
        super().__init__(policy, now_ns, story)
        self.policy = policy
        self.now_ns = now_ns
        self.story = story

    def __str__(self) -> str:
        return f"policy {self.policy} at {self.now_ns} ns: {self.story}"


class BackendError(CotenantError):
    """Name the engine, and what it could not do."""

    def __init__(self, engine: str, story: str) -> None:
        super().__init__(engine, story)
        self.engine = engine
        self.story = story

    def __str__(self) -> str:
        return f"engine {self.engine}: {self.story}"
