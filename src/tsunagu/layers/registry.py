"""From the key of a node to the class that it names."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from torch import nn

from tsunagu.errors import did_you_mean

__all__ = ["check_args", "find", "known", "register", "signature_of", "torch_layers"]

# A type variable of the old kind: the project supports Python 3.11.
LayerT = TypeVar("LayerT", bound=nn.Module)

_registered: dict[str, type[nn.Module]] = {}
# Not layers: they hold other modules by name, or have no forward of their own.
_NOT_LAYERS = {"Module", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "Container"}


def register(cls: type[LayerT], key: str | None = None) -> type[LayerT]:
    """Make a module known by its class name, or by another key; a class decorator.

    Raises:
        ValueError: another class is registered under this key.

    >>> find("MassMLP").__name__
    'MassMLP'
    """
    name = key or cls.__name__
    # The same class may come again: a notebook's cell is run more than once.
    if name in _registered and _origin(_registered[name]) != _origin(cls):
        msg = f"the key '{name}' is taken by {_origin(_registered[name])}"
        raise ValueError(msg)
    _registered[name] = cls
    return cls


def known() -> list[str]:
    """All keys: the registered modules and the layers of ``torch.nn``.

    >>> {"TauCNN", "Linear", "Dropout"} <= set(known())
    True
    """
    return sorted({*_registered, *torch_layers()})


def find(key: str) -> type[nn.Module]:
    """The class that a key names.

    The longest known name that starts the key counts and the rest names the layer, so ``LinearLast`` and ``Linear2``
    are a ``Linear``; the rest may not go on in lower case, so that a misspelt ``Lineare`` is no ``Linear``. Registered
    names go before those of ``torch.nn``. A key with a colon is imported: ``my_package.my_module:MyNet``.

    Raises:
        LookupError: no such layer, module or class; the message says what is nearest.

    >>> find("LinearLast")
    <class 'torch.nn.modules.linear.Linear'>
    >>> find("torch.nn:Bilinear")
    <class 'torch.nn.modules.linear.Bilinear'>
    >>> find("Linaer")
    Traceback (most recent call last):
    LookupError: unknown layer 'Linaer' (did you mean 'Linear'?)
    """
    if ":" in key:
        return _import(key)
    names = [name for name in (*_registered, *torch_layers()) if _names(name, key)]
    if not names:
        msg = f"unknown layer '{key}'{did_you_mean(key, known())}"
        raise LookupError(msg)
    name = max(names, key=len)
    return _registered.get(name) or torch_layers()[name]


def check_args(cls: Callable[..., Any], args: Mapping[str, Any] | Sequence[Any]) -> str | None:
    """A sentence on the arguments that a constructor does not take or misses, or None where they fit.

    Args:
        cls: any class or function.
        args: keyword arguments, or a list of positional ones.

    >>> from torch.nn import Linear
    >>> check_args(Linear, [2, 3])
    >>> check_args(Linear, {"in_feature": 2, "out_features": 3})
    "unknown argument 'in_feature' (did you mean 'in_features'?); missing argument 'in_features'"
    >>> check_args(Linear, [2])
    "missing argument 'out_features'"
    """
    try:
        parameters = signature_of(cls)
    except (TypeError, ValueError):
        return None  # a class written in C may have no signature; its constructor will speak for itself
    problems = (
        _unfit_keywords(parameters, args) if isinstance(args, Mapping) else _unfit_positions(parameters, args)
    )
    return "; ".join(problems) or None


def signature_of(cls: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a constructor or function; none for a module without a constructor of its own.

    >>> from torch.nn import Tanh
    >>> signature_of(Tanh)
    []
    """
    # nn.Module's own constructor says (*args, **kwargs) and then takes nothing.
    if isinstance(cls, type) and inspect.getattr_static(cls, "__init__") is nn.Module.__init__:
        return []
    return list(inspect.signature(cls).parameters.values())


def _unfit_keywords(parameters: list[inspect.Parameter], args: Mapping[str, Any]) -> list[str]:
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = [p.name for p in named]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unknown = [] if open_ended else [name for name in args if name not in names]
    problems = [
        f"unknown argument '{name}'{did_you_mean(str(name), names) or ' (it takes none)'}" for name in unknown
    ]
    return problems + [_missing(p) for p in named if p.default is p.empty and p.name not in args]


def _unfit_positions(parameters: list[inspect.Parameter], args: Sequence[Any]) -> list[str]:
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    problems = [_missing(p) for p in places[len(args) :] if p.default is p.empty]
    problems += [_missing(p) for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if len(args) > len(places) and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        names = ", ".join(p.name for p in places) or "none"
        problems.append(f"{len(args)} positional arguments, but only {len(places)} are taken ({names})")
    return problems


def _missing(parameter: inspect.Parameter) -> str:
    return f"missing argument '{parameter.name}'"


def _names(name: str, key: str) -> bool:
    return key.startswith(name) and not key[len(name) :][:1].islower()


@cache
def torch_layers() -> dict[str, type[nn.Module]]:
    """The layers of ``torch.nn`` by class name; losses and mere containers are left out.

    >>> "Conv2d" in torch_layers(), "ModuleList" in torch_layers(), "MSELoss" in torch_layers()
    (True, False, False)
    """
    found = {name: getattr(nn, name) for name in dir(nn) if not name.endswith("Loss")}
    return {
        name: cls
        for name, cls in found.items()
        if isinstance(cls, type) and issubclass(cls, nn.Module) and name not in _NOT_LAYERS
    }


def _origin(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _import(key: str) -> type[nn.Module]:
    module_name, _, name = key.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, SyntaxError, ValueError, TypeError) as error:
        msg = f"'{key}': the module '{module_name}' cannot be imported: {error}"
        raise LookupError(msg) from error
    cls = getattr(module, name, None)
    if isinstance(cls, type) and issubclass(cls, nn.Module):
        return cls
    offered = [n for n, c in vars(module).items() if isinstance(c, type) and issubclass(c, nn.Module)]
    found = f"'{name}' is no torch.nn.Module" if hasattr(module, name) else f"there is no '{name}'"
    msg = f"'{key}': {found} in the module '{module_name}'{did_you_mean(name, offered)}"
    raise LookupError(msg)
