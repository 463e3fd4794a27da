"""Frozen dataclasses that cost little to import and to create: tuples with named places.

To a type checker and to a reader `dataclass` here *is* `dataclasses.dataclass`. At run time it
is the few lines below, for two measured reasons: importing `dataclasses` takes 12 ms and 2.7 MB,
nearly all that this package may use, and a frozen dataclass of ten fields takes 1 µs to create,
a fourth of what decoding a message may take; a tuple takes 0.2 µs. That it is one does not show:
a value has fields but no length, no items and no order, and equals only its like. Only what this
package uses is here: positional and keyword-only fields with plain defaults.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import KW_ONLY as KW_ONLY
    from dataclasses import dataclass as dataclass
    from typing import ParamSpec, TypeVar

    _P = ParamSpec("_P")
    _T = TypeVar("_T")

    def maker(cls: Callable[_P, _T]) -> Callable[_P, _T]:
        """Return a function that makes values of the class as calling it does, only sooner.

        The way through a class costs 0.1 µs; worth avoiding only where a message is decoded.
        """
        return cls

else:
    from collections import _tuplegetter  # a property that reads one item, as namedtuple's do

    def maker(cls: type) -> Callable[..., object]:
        """Return a function that makes values of the class as calling it does, only sooner."""
        return _constructor(cls, "")

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """Make a value type of a class with annotated fields."""
        if not (frozen and slots):
            raise TypeError("values here are frozen and slotted")
        return _value_type

    def _value_type(cls: type) -> type:
        fields = [name for name in cls.__annotations__ if name != "_"]
        namespace = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
        defaults = {name: namespace.pop(name) for name in fields if name in namespace}
        namespace |= {name: _tuplegetter(place, name) for place, name in enumerate(fields)}
        namespace |= _METHODS | {
            "__slots__": (),
            "__fields__": tuple(fields),
            "__match_args__": _positional(cls.__annotations__),
            "__defaults__": defaults,
            "__dataclass_fields__": _Fields(),
        }
        namespace.setdefault("__repr__", _repr)
        made = type(cls.__name__, (tuple,), namespace)
        made.__new__ = staticmethod(_constructor(made, "cls, "))
        return made

    def _positional(annotations: dict[str, str]) -> tuple[str, ...]:
        names = list(annotations)
        return tuple(names[: names.index("_")] if "_" in names else names)

    def _constructor(cls: type, first: str) -> Callable[..., object]:
        """Return a function of the fields, behind a first parameter, that makes a value."""
        parameters = ", ".join(
            "*" if name == "_" else f"{name}=_[{name!r}]" if name in cls.__defaults__ else name
            for name in cls.__annotations__
        )
        items = "".join(f"{name}, " for name in cls.__fields__)
        names = {"_tuple": tuple.__new__, "_cls": cls, "_": cls.__defaults__}
        source = f"def make({first}{parameters}):\n    return _tuple(_cls, ({items}))\n"
        exec(source, names)  # noqa: S102 (our own field names, as dataclasses does)
        return names["make"]

    def _refuse(self: object, name: str, *_: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be changed")

    def _equal(self: object, other: object) -> bool:
        if type(self) is type(other):
            return tuple.__eq__(self, other)
        # Another tuple must not be asked, for it would compare the items.
        return False if isinstance(other, tuple) else NotImplemented

    def _repr(self: object) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__fields__)
        return f"{type(self).__name__}({inside})"

    def _reduce(self: object) -> tuple[object, ...]:
        return _restore, (type(self), {name: getattr(self, name) for name in type(self).__fields__})

    def _restore(cls: type, fields: dict[str, object]) -> object:
        return cls(**fields)

    class _Fields:
        """`__dataclass_fields__` made when asked for, so `dataclasses.replace` and friends work."""

        def __get__(self, instance: object, owner: type) -> dict[str, object]:
            import dataclasses  # the one who asks has imported it already

            keywords = set(owner.__fields__) - set(owner.__match_args__)
            specs = [
                (
                    name,
                    object,
                    dataclasses.field(
                        default=owner.__defaults__.get(name, dataclasses.MISSING),
                        kw_only=name in keywords,
                    ),
                )
                for name in owner.__fields__
            ]
            return dataclasses.make_dataclass(owner.__name__, specs).__dataclass_fields__

    _METHODS = {
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__reduce__": _reduce,
        "__eq__": _equal,
        "__ne__": object.__ne__,
        "__hash__": tuple.__hash__,
        "__bool__": lambda self: True,
        # What a tuple can do and a dataclass cannot.
        **dict.fromkeys(("__iter__", "__len__", "__getitem__", "__contains__", "__reversed__")),
        **dict.fromkeys(("__add__", "__mul__", "__rmul__", "__lt__", "__le__", "__gt__", "__ge__")),
        **dict.fromkeys(("count", "index", "__getnewargs__")),
    }
