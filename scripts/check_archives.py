"""Check what is in a source archive and in a wheel: all that belongs there, and nothing else.

python scripts/check_archives.py ARCHIVE WHEEL
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
# For the repository alone.
NOT_ARCHIVED = (".ci/", ".github/", ".gitignore")
MADE_BY_SETUPTOOLS = {"PKG-INFO", "setup.cfg"}
NOT_IN_WHEEL = {".pyx", ".pxd", ".c", ".h"}
LARGEST_WHEEL = 12 << 20


def tracked() -> set[str]:
    """Name the files of the repository."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.splitlines() if not name.startswith(NOT_ARCHIVED)}


def check_archive(path: Path, files: set[str]) -> list[str]:
    """List what a source archive lacks or has too much of."""
    with tarfile.open(path) as archive:
        names = {
            "/".join(PurePosixPath(member.name).parts[1:])
            for member in archive.getmembers()
            if member.isfile()
        }
    found = {
        name for name in names - MADE_BY_SETUPTOOLS if not name.startswith("fasttext_lite.egg-info")
    }
    return [
        *(f"{path.name} lacks {name}" for name in sorted(files - found)),
        *(f"{path.name} should not have {name}" for name in sorted(found - files)),
    ]


def check_wheel(path: Path, files: set[str]) -> list[str]:
    """List what a wheel lacks or has too much of."""
    with zipfile.ZipFile(path) as wheel:
        names = {member.filename for member in wheel.infolist() if not member.is_dir()}
    package = {name for name in files if name.startswith("fasttext_lite/")}
    expected = {name for name in package if PurePosixPath(name).suffix not in NOT_IN_WHEEL}
    modules = {name.removesuffix(".pyx") for name in package if name.endswith(".pyx")}
    compiled = {name for name in names if name.endswith((".so", ".pyd"))}
    inside = {name for name in names if name.startswith("fasttext_lite/")} - compiled
    licences = [name for name in names if ".dist-info/licenses/" in name]
    problems = [
        *(f"{path.name} lacks {name}" for name in sorted(expected - inside)),
        *(f"{path.name} should not have {name}" for name in sorted(inside - expected)),
    ]
    if modules != {name.split(".", 1)[0] for name in compiled}:
        problems.append(f"{path.name} has other compiled modules than there are sources")
    if len(licences) != 2:
        problems.append(f"{path.name} has the licences {licences}")
    if path.stat().st_size > LARGEST_WHEEL:
        problems.append(f"{path.name} has {path.stat().st_size} bytes")
    return problems


def main() -> int:
    """Print the problems of an archive and a wheel, and return 1 where there are any."""
    archive, wheel = map(Path, sys.argv[1:])
    files = tracked()
    problems = check_archive(archive, files) + check_wheel(wheel, files)
    print("\n".join(problems) or f"{archive.name} and {wheel.name} are complete")
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
