"""The stubs of the compiled modules say what these have: names, parameters and defaults."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import types
from pathlib import Path

import pytest
from support import REPOSITORY

from fasttext_lite import _core

PACKAGE = Path(_core.__file__).parents[1]
# Constructors have no signature at run time. Their sources are not installed.
SOURCES = REPOSITORY / "fasttext_lite"
STUBS = {
    ".".join(["fasttext_lite", *path.relative_to(PACKAGE).with_suffix("").parts]): path
    for path in sorted(PACKAGE.rglob("_core/**/*.pyi"))
}
# Of every class.
GENERAL = {"__new__", "__doc__", "__init__", "__reduce__", "__setstate__", "__pyx_vtable__"}


def compiled_modules():
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    return {
        ".".join(
            ["fasttext_lite", *path.parent.relative_to(PACKAGE).parts, path.name.partition(".")[0]]
        )
        for path in (PACKAGE / "_core").glob("*/*")
        if path.name.endswith(suffixes)
    }


def test_each_compiled_module_with_names_has_a_stub():
    without = {
        name
        for name in compiled_modules() - set(STUBS)
        if public_names(importlib.import_module(name))
    }
    assert not without
    assert set(STUBS) <= compiled_modules()
    assert len(STUBS) > 15


def public_names(module):
    """What the module defines itself; constants have no module."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and getattr(value, "__module__", module.__name__) == module.__name__
    }


def stub_names(body):
    """The definitions of a stub by name, without its imports and type variables."""
    found = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = node
    return found


def is_decorated(node, name):
    return any(isinstance(used, ast.Name) and used.id == name for used in node.decorator_list)


def stub_parameters(node):
    """Names of the parameters, and the defaults."""
    arguments = node.args
    assert not arguments.posonlyargs
    assert not arguments.kwonlyargs
    names = [argument.arg for argument in arguments.args]
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    return names, defaults


def real_parameters(function):
    parameters = inspect.signature(function).parameters.values()
    assert {parameter.kind for parameter in parameters} <= {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    names = [parameter.name for parameter in parameters]
    return names, [p.default for p in parameters if p.default is not inspect.Parameter.empty]


def constructor(source, name):
    """Parameters of the constructor of a class in Cython code."""
    body = re.split(r"^(?:cdef )?class ", source, flags=re.MULTILINE)[1:]
    own = next(part for part in body if re.match(rf"{name}\b", part))
    head = re.search(r"^    def __c?init__\((.*?)\):$", own, re.MULTILINE | re.DOTALL)
    arguments = re.sub(r"\[[^]]*\]| not None|\*\w+", "", head[1] if head else "self")
    names, defaults = [], []
    for argument in filter(str.strip, arguments.split(",")):
        declared, equals, default = argument.partition("=")
        names.append(declared.split()[-1])
        if equals:
            defaults.append(ast.literal_eval(default.strip()))
    return names, defaults


@pytest.mark.parametrize("name", STUBS)
def test_a_stub_has_the_names_of_its_module(name):
    module = importlib.import_module(name)
    stub = stub_names(ast.parse(STUBS[name].read_text()).body)
    assert set(stub) == public_names(module)
    for defined, node in stub.items():
        value = getattr(module, defined)
        if isinstance(node, ast.FunctionDef):
            assert stub_parameters(node) == real_parameters(value), defined
        elif isinstance(node, ast.ClassDef):
            check_class(node, value)
        else:
            assert type(value).__name__ == node.annotation.id, defined


def check_class(node, value):
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    assert bases == [base.__name__ for base in value.__bases__ if base is not object]
    stub = stub_names(node.body)
    real = {
        name
        for name in vars(value)
        if (name[0] != "_" or name[:2] == "__")
        and name not in GENERAL
        and not name.endswith("_cython__")
    }
    assert {name for name in stub if name != "__init__"} == real, node.name
    for name, member in stub.items():
        kind = f"{node.name}.{name}"
        found = vars(value).get(name)
        if name == "__init__":
            continue
        if is_decorated(member, "property"):
            assert inspect.isdatadescriptor(found), kind
        elif is_decorated(member, "staticmethod"):
            assert isinstance(found, staticmethod), kind
            assert stub_parameters(member) == real_parameters(found.__func__), kind
        elif name.startswith("__"):
            assert callable(found), kind
        else:
            assert stub_parameters(member) == real_parameters(found), kind


@pytest.mark.skipif(not (SOURCES / "_core").is_dir(), reason="the sources are not there")
@pytest.mark.parametrize("name", STUBS)
def test_a_stub_has_the_constructors_of_its_module(name):
    path = SOURCES.joinpath(*name.split(".")[1:]).with_suffix(".pyx")
    source = path.read_text()
    for defined, node in stub_names(ast.parse(STUBS[name].read_text()).body).items():
        if not isinstance(node, ast.ClassDef):
            continue
        stub = stub_names(node.body).get("__init__")
        expected = stub_parameters(stub) if stub else (["self"], [])
        assert constructor(source, defined) == expected, defined
