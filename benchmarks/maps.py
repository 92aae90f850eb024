"""How long a map takes: the layout of the words of a model, and its page in a browser.

python -m benchmarks.maps MODEL --words 50000
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import fasttext_lite as ftl

# Draws the map in sixty places, and returns the milliseconds of each frame.
FRAMES = """async () => {
  const map = document.getElementById("map");
  const times = [];
  let last = performance.now();
  for (let i = 0; i < 60; i++) {
    const key = i % 2 ? "ArrowLeft" : "ArrowRight";
    map.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times;
}"""
DRAWN = "performance.getEntriesByName('map-drawn')[0].startTime"


def processor_time() -> float:
    """Return the seconds of processor time of all threads of this process."""
    times = os.times()
    return times.user + times.system


def timed(name: str, work):
    """Do some work, and print its seconds on the clock and on the processors."""
    began, used = time.perf_counter(), processor_time()
    found = work()
    seconds = time.perf_counter() - began
    print(f"{name:<28}{seconds:8.2f} s{processor_time() - used:10.2f} s of processor time")
    return found


def open_page(path: Path, runs: int) -> None:
    """Open the page several times, and print when it is drawn, and how long a frame takes."""
    from playwright.sync_api import sync_playwright

    drawn, frames = [], []
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"))
        for _ in range(runs):
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            page.goto(path.as_uri())
            page.wait_for_selector("#map[data-drawn]")
            drawn.append(page.evaluate(DRAWN))
            frames += page.evaluate(FRAMES)
            kind = page.evaluate("wordMap.drawing")
            page.close()
        browser.close()
    print(
        f"{'points drawn after':<28}{statistics.median(drawn):8.0f} ms (median of {runs}, {kind})"
    )
    print(f"{'a frame':<28}{statistics.median(frames):8.1f} ms (median)")


def main() -> None:
    """Measure a map, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--words", type=int, default=50_000)
    parser.add_argument("--placed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    model = ftl.load(options.model)
    graph = timed("neighbors", lambda: ftl.nearest_graph(model, words=options.words))
    clusters = timed("clusters", lambda: ftl.cluster(model, options.words, graph=graph))
    drawn = timed(
        "layout",
        lambda: ftl.map_words(
            model, options.words, clusters=clusters, placed=options.placed, threads=None
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".html", ".png", ".parquet"):
            path = Path(folder, f"map{suffix}")
            timed(f"write {suffix}", lambda path=path: drawn.write(path))
            print(f"{'':<28}{path.stat().st_size / 1e6:8.2f} MB")
        open_page(Path(folder, "map.html"), options.runs)


if __name__ == "__main__":
    main()
