"""Files of clusters, and the command that writes them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fasttext_lite as ftl
from fasttext_lite.cli import main


@pytest.fixture(scope="module")
def clusters():
    return ftl.cluster("sample", 1500)


def unescaped(text):
    return text.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\")


def read_tsv(path):
    head, *lines = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")[:-1]
    return head.split("\t"), [line.split("\t") for line in lines]


class TestFiles:
    def test_tsv(self, clusters, tmp_path):
        clusters.write(tmp_path / "clusters.tsv")
        head, rows = read_tsv(tmp_path / "clusters.tsv")
        assert head == ["word", "cluster", "name", "centrality"]
        assert sorted(row[0] for row in rows) == sorted(clusters.words)
        for word, number, name, centrality in rows:
            assert clusters.of(word) == int(number)
            if number == "-1":
                assert name == centrality == ""
            else:
                assert name == clusters.names[int(number)]
        first = [row[0] for row in rows if row[1] == "0"]
        assert first == clusters.members(0)

    def test_json(self, clusters, tmp_path):
        clusters.write(tmp_path / "clusters.json")
        found = json.loads((tmp_path / "clusters.json").read_text())
        assert found["recipe"]["method"] == "whispers"
        assert found["recipe"]["k"] == 20
        assert found["noise"] == clusters.noise
        assert [one["members"] for one in found["clusters"]] == [c.members for c in clusters]
        assert [one["name"] for one in found["clusters"]] == clusters.names

    def test_parquet(self, clusters, tmp_path):
        parquet = pytest.importorskip("pyarrow.parquet")
        clusters.write(tmp_path / "clusters.parquet")
        table = parquet.read_table(tmp_path / "clusters.parquet")
        assert table.column_names == ["word", "cluster", "name", "centrality"]
        assert str(table.schema.field("cluster").type) == "int32"
        assert str(table.schema.field("centrality").type) == "float"
        for row in table.slice(0, 300).to_pylist():
            assert clusters.of(row["word"]) == row["cluster"]
            assert row["name"] == clusters.names[row["cluster"]]
        last = table.slice(len(table) - 1).to_pylist()[0]
        assert last == {"word": last["word"], "cluster": -1, "name": None, "centrality": None}

    @pytest.mark.parametrize("suffix", ["tsv", "json", "parquet"])
    def test_rows_and_unusual_names(self, tmp_path, suffix):
        if suffix == "parquet":
            pytest.importorskip("pyarrow")
        points = np.repeat(np.eye(3), 4, axis=0) + 0.01 * np.random.default_rng(0).random((12, 3))
        names = ["a\tb", "c\\d", "e\nf", b"\xff", "ö", *map(str, range(7))]
        path = tmp_path / f"clusters.{suffix}"
        for words in (names, None):
            found = ftl.cluster(points, **({"words": words} if words else {}), k=3)
            found.write(path)
            if suffix == "tsv":
                head, rows = read_tsv(path)
                assert head[0] == ("word" if words else "row")
                assert sorted(unescaped(row[0]) for row in rows) == sorted(map(str, found.words))
            elif suffix == "json":
                members = [
                    m for one in json.loads(path.read_text())["clusters"] for m in one["members"]
                ]
                assert len(members) + len(found.noise) == 12
            else:
                from pyarrow import parquet

                table = parquet.read_table(path)
                assert table.column_names[0] == ("word" if words else "row")
                assert len(table) == 12

    def test_no_clusters(self, tmp_path):
        found = ftl.cluster(np.zeros((5, 2)), k=2)
        found.write(tmp_path / "none.json")
        assert json.loads((tmp_path / "none.json").read_text())["clusters"] == []
        found.write(tmp_path / "none.tsv")
        assert len(read_tsv(tmp_path / "none.tsv")[1]) == 5

    def test_targets_that_cannot_be_written(self, clusters, tmp_path):
        with pytest.raises(ftl.InputValueError, match=r"\.tsv, \.parquet, \.json"):
            clusters.write(tmp_path / "clusters.csv")
        with pytest.raises(ftl.FileError, match="folder"):
            clusters.write(tmp_path / "no" / "clusters.tsv")
        (tmp_path / "a.tsv").mkdir()
        with pytest.raises(ftl.FileError, match="folder"):
            clusters.write(tmp_path / "a.tsv")
        with pytest.raises(ftl.InputTypeError):
            clusters.write(5)


class TestCommand:
    def test_the_largest_and_the_tightest_are_listed(self, capsys, tmp_path):
        path = tmp_path / "clusters.tsv"
        assert (
            main(["cluster", "sample", "--max-words", "1500", "-o", str(path), "--top", "3"]) == 0
        )
        found = ftl.cluster("sample", 1500)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith(f"1,500 words: {len(found)} clusters, and {len(found.noise)} ")
        assert lines[2] == "The largest:"
        assert [line.split()[0] for line in lines[4:7]] == found.names[:3]
        assert lines[8].startswith("The tightest of at least")
        assert len(lines) == 13
        assert len(read_tsv(path)[1]) == 1500

    def test_json(self, capsys):
        assert main(["cluster", "sample", "--max-words", "500", "-k", "10", "--json"]) == 0
        found = ftl.cluster("sample", 500, k=10)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["members"] for line in lines] == [one.members for one in found]

    def test_words_of_a_file(self, capsys, tmp_path):
        words = tmp_path / "words.txt"
        words.write_text("winter\nsummer\nautumn\nnorthern\nsouthern\nwesternmost\n")
        resume = str(tmp_path / "neighbors")
        arguments = ["cluster", "sample", "--words", str(words), "-k", "2", "--resume", resume]
        for _ in range(2):
            assert main(arguments) == 0
            assert capsys.readouterr().out.startswith("6 words: ")
        assert main([*arguments, "--seed", "7", "--weighting", "cosine", "--top", "0"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["sample", "winter"], "--words FILE"),
            (["sample", "-o", "no/clusters.tsv"], "the folder of this file does not exist"),
            (["sample", "-o", "clusters.csv"], "ends in .tsv"),
            (["sample", "-k", "8000"], "k must be below"),
            (["sample", "--words", "missing.txt"], "no such file"),
            (["sample", "--threshold", "3"], "threshold must be at most"),
            (["sample", "--top", "-1"], "--top"),
            (["missing.bin"], "no such file"),
        ],
    )
    def test_wrong_arguments(self, capsys, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        assert main(["cluster", *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not list(tmp_path.iterdir())

    @pytest.mark.filterwarnings("default")
    def test_a_collapse_is_told_in_one_line(self, capsys):
        arguments = ["--max-words", "500", "--one-way", "--threshold", "0", "--top", "0"]
        assert main(["cluster", "sample", *arguments]) == 0
        error = capsys.readouterr().err
        assert error.startswith("fasttext-lite: the largest cluster holds")
        assert error.count("\n") == 1
