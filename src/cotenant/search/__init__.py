"""Other ways to choose one option for each tenant: one file for each search."""

from cotenant.registry import Registry
from cotenant.search.budget import Budget, Spent
from cotenant.search.estimator import Estimator
from cotenant.search.interface import Choose, Found, Search, run
from cotenant.search.judge import Evaluator, Judge
from cotenant.search.menu import Choice, Menu, Route, Visit, menu_of
from cotenant.search.order import Worth
from cotenant.search.variant import EXACT, named, variants

searches: Registry[Search] = Registry(
    what="search", package="cotenant.search", group="cotenant.searches", kind=Search,
    besides=(
        "branch", "budget", "estimator", "interface", "judge", "market", "menu", "order", "pool", "scale", "simplex", "tree", "variant",
    ),
)  # fmt: skip

__all__ = [
    "EXACT", "Budget", "Choice", "Choose", "Estimator", "Evaluator", "Found", "Judge", "Menu", "Route", "Search", "Spent", "Visit", "Worth",
    "menu_of", "named", "run", "searches", "variants",
]  # fmt: skip
