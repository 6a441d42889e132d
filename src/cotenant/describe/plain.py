"""YAML as a tree of plain values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.reader import ReaderError

from cotenant.describe.document import read_text
from cotenant.describe.tree import shown
from cotenant.errors import InputError

_YAML: Final = "YAML as `cotenant init` writes it"
_TAG: Final = "tag:yaml.org,2002:"
_NOT_TEXT: Final = (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
)


def yaml_tree(path: Path) -> Any:
    """Read a YAML file of plain values; InputError names the line at which it is damaged.

    Values are told apart as in YAML 1.2: `no` is text, `010` is ten, `1e3` a number. Aliases, other tags and a key that
    comes twice are refused.
    """
    text = read_text(path)
    try:
        return yaml.load(text, _Loader)  # noqa: S506  the loader makes plain values alone
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown(path)}:{mark.line + 1}" if mark else shown(path)
        raise InputError(where, shown(error.problem or error.context), _YAML) from error
    except ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise InputError(f"{shown(path)}:{line}", f"character {ord(text[int(error.position)]):#x}", "printable characters") from error
    except RecursionError as error:
        raise InputError(shown(path), "nested too deeply", _YAML) from error


def yaml_text(tree: Any) -> str:
    """Write plain values as YAML that `yaml_tree` reads back alike."""
    return str(yaml.dump(tree, Dumper=_Dumper, sort_keys=False))


class _Resolver(yaml.resolver.BaseResolver):
    """Tell null, flags and numbers from text."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return _TAG + next((name for name, pattern in _NOT_TEXT if re.fullmatch(pattern, value)), "str")
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]


class _Loader(_Resolver, yaml.SafeLoader):
    """Make plain values alone, each key once."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise ComposerError(None, None, "an alias is not read: write it out", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  as theirs
        mapping: dict[Any, Any] = yaml.constructor.BaseConstructor.construct_mapping(self, node, deep=deep)
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node)
            if key in seen:
                raise ConstructorError(None, None, f"key {key} comes twice", key_node.start_mark)
            seen.add(key)
        return mapping

    def make_scalar(self, node: Any) -> bool | int | float | None:
        """Make what is not text, as its tag says."""
        text, kind = str(self.construct_scalar(node)), node.tag.removeprefix(_TAG)
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "int":
                    return int(text, 10)
                case _:
                    return float(re.sub(r"\.(?=[inIN])", "", text))
        except (KeyError, ValueError) as error:
            raise ConstructorError(None, None, f"{text} is no {kind}", node.start_mark) from error

    def make_text(self, node: Any) -> str:
        """Make text of whole characters; a pair of halves, as JSON escapes them, is one."""
        text = str(self.construct_scalar(node))
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            raise ConstructorError(None, None, f"{text} holds half a character", node.start_mark) from error

    yaml_constructors = {  # noqa: RUF012  as theirs
        **dict.fromkeys((_TAG + kind for kind, _ in _NOT_TEXT), make_scalar),
        _TAG + "str": make_text,
        _TAG + "seq": SafeConstructor.construct_yaml_seq,
        _TAG + "map": SafeConstructor.construct_yaml_map,
        None: SafeConstructor.construct_undefined,
    }


class _Dumper(_Resolver, yaml.SafeDumper):
    """Put quotes around text that would be read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
