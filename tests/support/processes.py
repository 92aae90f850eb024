"""Models in several processes: a script, since a spawned process imports its main module again.

    python -m support.processes TASK MODEL [OPTION]

fails with a traceback if something is wrong.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pickle
import re
import socket
import sys
import threading
from pathlib import Path

import numpy as np

import fasttext_lite as ftl

WORDS = ["king", "kingdomish", "war", "unbeknownst", "квантовая"]


def answer(model, word):
    return model[word].tobytes(), model.neighbors(word, 3)


def pool(path, method):
    """Check workers that receive the model with each task."""
    model = ftl.load(path)
    expected = [answer(model, word) for word in WORDS]
    context = multiprocessing.get_context(method)
    with context.Pool(2) as workers:
        found = workers.starmap(answer, [(model, word) for word in WORDS])
    assert found == expected


def inherited(path, _):
    """Check that forked workers have the model with its computed values."""
    model = ftl.load(path)
    expected = [answer(model, word) for word in WORDS]
    assert "_neighbors" in vars(model)
    children = []
    for word, wanted in zip(WORDS, expected, strict=True):
        child = os.fork()
        if not child:
            os._exit(answer(model, word) != wanted)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(WORDS)


def other_file(path, method):
    """Check that a worker reports another file at the path."""
    model = ftl.load(path)
    new = Path(path).with_name("new")
    ftl.convert("sample", new, max_words=100)
    new.replace(path)
    context = multiprocessing.get_context(method)
    with context.Pool(1) as workers:
        told = workers.apply(unpickling_error, [pickle.dumps(model)])
    assert told == (path, True), told
    # The process that has the old file open continues.
    assert len(model) > 1000
    assert model["king"].any()


def unpickling_error(data):
    try:
        pickle.loads(data)
    except ftl.FileError as error:
        return error.filename, "this is not the file" in str(error)


def joblib(path, _):
    from joblib import Parallel, delayed

    model = ftl.load(path)
    expected = [answer(model, word) for word in WORDS]
    for backend in ("loky", "threading"):
        found = Parallel(n_jobs=2, backend=backend)(delayed(answer)(model, word) for word in WORDS)
        assert found == expected, backend


class Vectors:
    """A data set for torch."""

    def __init__(self, model, words):
        self.model = model
        self.words = words

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        return self.model[self.words[i]]


def torch(path, method):
    from torch.utils.data import DataLoader

    model = ftl.load(path)
    words = WORDS * 20
    loader = DataLoader(
        Vectors(model, words), batch_size=8, num_workers=2, multiprocessing_context=method
    )
    found = np.concatenate([batch.numpy() for batch in loader])
    assert (found == model[words]).all()


def building(path, _):
    """Fork while a thread computes a value that the child needs as well."""
    # In CPython a module that another thread imports during the fork stays unusable in the child.
    import concurrent.futures.thread  # noqa: F401

    ftl.load(path).neighbors("king")
    for _ in range(20):
        model = ftl.load(path)
        thread = threading.Thread(target=model.neighbors, args=["king"])
        thread.start()
        child = os.fork()
        if not child:
            near = model.neighbors("king", 1)[0].word
            vectors = model.vectors(WORDS * 1000, threads=2)
            os._exit(near != "queen" or not vectors.any())
        assert os.waitpid(child, 0)[1] == 0
        thread.join()


def server(path, _):
    """Load, fork and answer like gunicorn; all processes share the pages of the file."""
    model = ftl.load(path)
    expected = model.vectors(model.words).sum(axis=0)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(100)
    begin, workers = listening.getsockname(), []
    touched, others = os.pipe(), os.pipe()
    for _ in range(4):
        child = os.fork()
        if not child:
            # Each worker answers requests until it receives an empty one.
            for turn in itertools.count():
                with listening.accept()[0] as request:
                    word = request.recv(1000).decode()
                    if not word:
                        os._exit(0)
                    request.sendall(model[word].tobytes())
                if turn == 0:
                    # Every worker touches all pages before any accepts another request.
                    assert (model.vectors(model.words).sum(axis=0) == expected).all()
                    os.write(touched[1], b".")
                    os.read(others[0], 1)
        workers.append(child)

    def ask(word):
        with socket.create_connection(begin) as request:
            request.sendall(word.encode())
            request.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: request.recv(1 << 16), b""))

    for word in WORDS[: len(workers)]:
        assert ask(word) == model[word].tobytes()
    for _ in workers:
        assert os.read(touched[0], 1)
    os.write(others[1], b"." * len(workers))
    for word in WORDS * 40:
        assert ask(word) == model[word].tobytes()
    if sys.platform == "linux":
        mapped = [size_of(pid, path) for pid in (os.getpid(), *workers)]
        rss, pss = (sum(sizes) for sizes in zip(*mapped, strict=True))
        used = max(size for size, _ in mapped)
        assert used > 1e6, mapped
        # Every process maps the pages, and together they hold them once. Other processes that
        # map the file count for a share, too.
        assert rss > 3 * used, mapped
        assert pss < 1.1 * used, mapped
        for pid in workers:
            assert private_size(pid) < used + 30e6
    for _ in workers:
        ask("")
    assert [os.waitpid(child, 0)[1] for child in workers] == [0] * len(workers)


def size_of(pid, path):
    """Return the resident bytes of a file in a process, and its share of them."""
    found, inside = [0, 0], False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = line.endswith(path)
        elif inside and line.startswith(("Rss:", "Pss:")):
            found["RP".index(line[0])] += 1024 * int(line.split()[1])
    return found


def private_size(pid):
    """Return the private memory of a process, in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Private_"))


TASKS = [pool, inherited, other_file, joblib, torch, building, server]

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    {task.__name__: task for task in TASKS}[name](*arguments, *[None] * (2 - len(arguments)))
