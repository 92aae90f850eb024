"""What releases have besides the code: bill of materials, recipe, the second distribution."""

from __future__ import annotations

import json
import shlex
from fnmatch import fnmatch
from importlib import metadata

import pytest
from support import REPOSITORY

import fasttext_lite as ftl
from fasttext_lite.cli import main

RECIPE = REPOSITORY / "packaging" / "recipe.yaml"
AS_FASTTEXT = REPOSITORY / "packaging" / "as-fasttext"


@pytest.fixture(scope="module")
def project():
    tomllib = pytest.importorskip("tomllib")
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def spaced(requirements):
    """Requirements as conda writes them."""
    return {one.lower().replace(">=", " >=") for one in requirements}


@pytest.fixture(scope="module")
def recipe():
    """The recipe as rattler-build renders it, which refuses fields that it does not know."""
    build = pytest.importorskip("rattler_build")
    variant = {"c_compiler": ["gcc"], "c_stdlib": ["sysroot"], "c_stdlib_version": ["2.17"]}
    config = build.VariantConfig.from_yaml(json.dumps(variant))
    (rendered,) = build.Stage0Recipe.from_file(str(RECIPE)).render(config)
    return rendered.recipe.to_dict()


def test_the_recipe_names_this_version(recipe):
    assert recipe["package"] == {"name": "fasttext-lite", "version": ftl.__version__}
    (source,) = recipe["source"]
    assert source["url"].endswith(f"/fasttext_lite-{ftl.__version__}.tar.gz")


def test_the_recipe_requires_what_the_project_requires(recipe, project):
    required = recipe["requirements"]
    python = f"python {project['project']['requires-python']}"
    assert set(required["run"]) == {python, *spaced(project["project"]["dependencies"])}
    assert set(required["host"]) == {"python", "pip", *spaced(project["build-system"]["requires"])}


def test_the_recipe_describes_the_project(recipe, project):
    about, project = recipe["about"], project["project"]
    assert about["summary"] == project["description"]
    assert about["license"] == project["license"]
    # The folder of the package is not beside the tests of a wheel.
    files, patterns = about["license_file"], project["license-files"]
    assert len(files) == len(patterns)
    assert all(map(fnmatch, sorted(files), sorted(patterns)))


def test_the_commands_in_the_recipe_succeed(recipe, capsys):
    (commands,) = [test["script"] for test in recipe["tests"] if "script" in test]
    for name, *arguments in map(shlex.split, commands):
        assert name == "fasttext-lite"
        assert main(arguments) == 0
    assert "musicianship" in capsys.readouterr().out


def test_a_citation_names_this_version():
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {ftl.__version__}\n" in citation


def test_the_second_distribution_has_the_same_version_and_licence():
    described = (AS_FASTTEXT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{ftl.__version__}"\n' in described
    assert (AS_FASTTEXT / "LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()


def test_the_bill_of_materials_keeps_the_schema_of_cyclonedx():
    installed = metadata.distribution("fasttext-lite")
    if installed.read_text("WHEEL") is None:
        pytest.skip("not installed from a wheel")
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema").SchemaVersion.V1_6
    bill = installed.read_text("sboms/fasttext-lite.cdx.json")
    assert validation.JsonStrictValidator(schema).validate_str(bill) is None
    assert json.loads(bill)["metadata"]["component"]["version"] == ftl.__version__
