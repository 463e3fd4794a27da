"""Frozen, slotted dataclasses that cost little to import and to create.

To a type checker and to a reader `dataclass` here *is* `dataclasses.dataclass`. At run time it
is the few lines below, for two measured reasons: importing `dataclasses` takes 12 ms and 2.7 MB,
nearly all that this package may use, and a frozen dataclass of eight fields takes 0.9 µs to
create, a fifth of what decoding a message may take. Only what this package uses is here:
positional and keyword-only fields with plain defaults.
"""

from __future__ import annotations

import operator

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
        namespace |= {
            "__slots__": tuple(fields),
            "__match_args__": _positional(cls.__annotations__),
            "__defaults__": defaults,
            "__setattr__": _refuse,
            "__delattr__": _refuse,
            "__reduce__": _reduce,
            "__dataclass_fields__": _Fields(),
        }
        namespace |= _comparisons(fields)
        namespace.setdefault("__repr__", _repr)
        made = type(cls.__name__, cls.__bases__, namespace)
        made.__new__ = staticmethod(_constructor(made, "cls, "))
        return made

    def _positional(annotations: dict[str, str]) -> tuple[str, ...]:
        names = list(annotations)
        return tuple(names[: names.index("_")] if "_" in names else names)

    def _constructor(cls: type, first: str) -> Callable[..., object]:
        """Return a function of the fields, behind a first parameter, that makes a value.

        Slots of the same names make the same layout, so an open draft, filled field by field like
        hand-written code, can become the frozen value by a change of class.
        """
        parameters = ", ".join(
            "*" if name == "_" else f"{name}=_[{name!r}]" if name in cls.__defaults__ else name
            for name in cls.__annotations__
        )
        source = (
            f"def make({first}{parameters}):\n    self = _draft()\n"
            + "".join(f"    self.{name} = {name}\n" for name in cls.__slots__)
            + "    self.__class__ = _cls\n    return self\n"
        )
        draft = type(cls.__name__, (), {"__slots__": cls.__slots__})
        names = {"_draft": draft, "_cls": cls, "_": cls.__defaults__}
        exec(source, names)  # noqa: S102 (our own field names, as dataclasses does)
        return names["make"]

    def _refuse(self: object, name: str, *_: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be changed")

    def _values(self: object) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in type(self).__slots__])

    def _comparisons(fields: list[str]) -> dict[str, object]:
        values = operator.attrgetter(*fields)  # all of them in one call

        def equal(self: object, other: object) -> bool:
            if type(self) is not type(other):
                return NotImplemented
            return values(self) == values(other)

        return {"__eq__": equal, "__hash__": lambda self: hash(values(self))}

    def _repr(self: object) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__slots__)
        return f"{type(self).__name__}({inside})"

    def _reduce(self: object) -> tuple[object, ...]:
        return _restore, (type(self), dict(zip(type(self).__slots__, _values(self), strict=True)))

    def _restore(cls: type, fields: dict[str, object]) -> object:
        return cls(**fields)

    class _Fields:
        """`__dataclass_fields__` made when asked for, so `dataclasses.replace` and friends work."""

        def __get__(self, instance: object, owner: type) -> dict[str, object]:
            import dataclasses  # the one who asks has imported it already

            keywords = set(owner.__slots__) - set(owner.__match_args__)
            specs = [
                (
                    name,
                    object,
                    dataclasses.field(
                        default=owner.__defaults__.get(name, dataclasses.MISSING),
                        kw_only=name in keywords,
                    ),
                )
                for name in owner.__slots__
            ]
            return dataclasses.make_dataclass(owner.__name__, specs).__dataclass_fields__
