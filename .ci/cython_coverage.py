"""Report the coverage of the Cython code from the counts of gcov: `cython_coverage.py BUILD`.

The code is compiled with the line numbers of the Cython sources, which the usual reports for C do
not separate from the generated code. Exits with an error below 90 %.
"""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from pathlib import Path

LEAST = 90


def main(build: Path) -> None:
    """Add up the counts of all modules, and print a line for each source."""
    counts: dict[str, collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for data in sorted(build.rglob("*.gcda")):
        report = subprocess.run(  # noqa: S603
            ["gcov", "--json-format", "--stdout", data],  # noqa: S607
            check=True,
            capture_output=True,
        ).stdout
        for document in report.splitlines():
            for file in json.loads(document)["files"]:
                if file["file"].endswith(".pyx"):
                    for line in file["lines"]:
                        counts[file["file"]][line["line_number"]] += line["count"]
    lines = run = 0
    for name, every in sorted(counts.items()):
        # Code that Cython adds has line numbers past the end, or of blank lines.
        source = ["", *(line.strip() for line in Path(name).read_text().splitlines())]
        found = {
            line: count
            for line, count in every.items()
            if line < len(source) and source[line] and source[line][0] not in "#@"
        }
        missing = sorted(line for line, count in found.items() if not count)
        lines += len(found)
        run += len(found) - len(missing)
        print(f"{name:44}{len(found):6}{100 * (1 - len(missing) / len(found)):7.1f} %  {missing}")
    share = 100 * run / max(lines, 1)
    print(f"{'in all':44}{lines:6}{share:7.1f} %")
    if share < LEAST:
        sys.exit(f"less than {LEAST} %")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
