"""What may be named and what may not: the security suite of the file room."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.errors import AirError, FileUnavailable, PathRefused
from airpy.files import paths
from airpy.files.datasets import find_dataset
from airpy.files.paths import FileRoot, contained, is_pattern, locate, neighbours, resolve
from tests.files.conftest import EXTENSIONS, put, without_privileges

TRAVERSAL = Path(__file__).parents[3] / "shared" / "corpora" / "traversal" / "paths.txt"


# What is allowed


@pytest.mark.parametrize(
    "requested",
    [
        "energy/a.csv",
        "{base}/energy/a.csv",
        "file://{base}/energy/a.csv",
        "file://localhost{base}/energy/a.csv",
        "FILE://{base}/energy/a.csv",
        "file://{base}/%65nergy/a%2Ecsv",
        "//{base}/energy/a.csv",
        "./energy//a.csv",
        "energy/./a.csv",
        "energy/a.csv/",
    ],
)
def test_a_file_is_named_by_every_spelling_of_its_path(root: FileRoot, requested: str) -> None:
    file = put(root, "energy/a.csv")

    place = resolve(root, requested.format(base=root.base), "uri")

    assert (place.name, place.files, place.directory, place.cloud) == ("a.csv", (file,), None, None)


@pytest.mark.parametrize("requested", [".", "{base}", "{base}/", "file://{base}"])
def test_the_base_path_itself_is_a_directory(root: FileRoot, requested: str) -> None:
    place = resolve(root, requested.format(base=root.base), "uri")

    assert (place.name, place.directory, place.files) == ("base", root.real, ())


@pytest.mark.parametrize(
    "name",
    ["a b.csv", "ä.csv", "数据.csv", "😀.csv", "𝒳.csv", "-.csv", "a%20b.csv", "'\".csv", "A.CSV", "a.b.CsV"],
)
def test_odd_names_are_names(root: FileRoot, name: str) -> None:
    file = put(root, name)

    assert resolve(root, name, "uri").files == (file,)


def test_a_directory_is_one_whatever_its_name(root: FileRoot) -> None:
    put(root, "x.csv/a.parquet")

    assert resolve(root, "x.csv", "uri").directory == root.real / "x.csv"


def test_a_base_path_that_is_a_link_is_shown_as_the_caller_knows_it(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.csv").touch()
    (tmp_path / "link").symlink_to(real)
    root = FileRoot.at(tmp_path / "link", EXTENSIONS)

    known = resolve(root, f"{tmp_path}/link/a.csv", "uri").files
    also_known = resolve(root, f"{tmp_path}/real/a.csv", "uri").files

    assert known == also_known == (real / "a.csv",)
    assert root.shown(known[0]) == f"{tmp_path}/link/a.csv"


# What leads outside


@pytest.mark.parametrize(
    "requested",
    [
        "..",
        "../outside/secret.csv",
        "energy/../../outside/secret.csv",
        "energy/..",
        "/etc/passwd",
        "/",
        "//etc/passwd",
        "/{base}/energy/a.csv",
        "{outside}/secret.csv",
        "{base}/../outside/secret.csv",
        "{base}-other/a.csv",
        "file:///etc/passwd",
        "file:////etc/passwd",
        "file://{outside}/secret.csv",
        "file://{base}/%2e%2e/outside/secret.csv",
        "file://{base}/%2E%2e%2Foutside%2Fsecret.csv",
        "file://{base}/..%2foutside/secret.csv",
        "../*/secret.csv",
        "{outside}/*.csv",
    ],
)
def test_what_lies_outside_the_base_path_is_refused(root: FileRoot, outside: Path, requested: str) -> None:
    put(root, "energy/a.csv")
    (root.base.parent / "base-other").mkdir()
    (root.base.parent / "base-other" / "a.csv").touch()

    with pytest.raises(PathRefused, match="outside the base path") as refusal:
        resolve(root, requested.format(base=root.base, outside=outside), "uri")

    assert (refusal.value.code, refusal.value.reason) == ("VALIDATION_ERROR", "PATH_REFUSED")
    assert refusal.value.field == "uri"
    assert str(outside) not in str(refusal.value.describe("req_1"))


@pytest.mark.parametrize(
    "requested",
    [
        "%2e%2e/outside/secret.csv",
        "%2e%2e%2foutside%2fsecret.csv",
        "..%2foutside/secret.csv",
        "%252e%252e/outside/secret.csv",
        "file://{base}/%252e%252e/outside/secret.csv",
        "%c0%ae%c0%ae/outside/secret.csv",
        "．．/outside/secret.csv",
        "‥/outside/secret.csv",
        ".../outside/secret.csv",
        ".. /outside/secret.csv",
        "file:/etc/passwd.csv",
        "~/secret.csv",
        "$HOME/secret.csv",
        "C:/secret.csv",
    ],
)
def test_what_looks_like_a_way_out_and_is_none_is_a_name_that_is_missing(
    root: FileRoot, outside: Path, requested: str
) -> None:
    assert outside.is_dir()
    with pytest.raises(FileUnavailable) as missing:
        resolve(root, requested.format(base=root.base), "uri")

    assert missing.value.reason == "FILE_MISSING"


@pytest.mark.parametrize("name", ["secret.csv", "missing.csv", "missing", "outside", "*.csv"])
def test_outside_nothing_tells_what_is_there_from_what_is_not(
    root: FileRoot, outside: Path, name: str
) -> None:
    (root.real / "there").symlink_to(outside)
    (root.real / "gone").symlink_to(outside / "gone")

    answers = set()
    for requested in (
        f"{outside}/{name}",
        f"../outside/{name}",
        f"there/{name}",
        f"gone/{name}",
        "there",
        "gone",
    ):
        with pytest.raises(PathRefused) as refusal:
            resolve(root, requested, "uri")
        answers.add(str(refusal.value.describe("req_1")))

    assert len(answers) == 1


# Characters


@pytest.mark.parametrize(
    "requested",
    [
        "a\0.csv",
        "a.csv\0.exe",
        "a\n.csv",
        "a\r.csv",
        "a\t.csv",
        "\x1b[31m.csv",
        "a\x7f.csv",
        "..\\outside\\secret.csv",
        "\\\\host\\share\\a.csv",
        "a\\.csv",
        "\ud800.csv",
        "a\udcff.csv",
        "file://{base}/a%00.csv",
        "file://{base}/a%0a.csv",
        "file://{base}/a%5c..%5c.csv",
        "s3://bucket/\0.csv",
    ],
)
def test_characters_that_no_path_has_are_refused(root: FileRoot, requested: str) -> None:
    with pytest.raises(PathRefused, match="character") as refusal:
        resolve(root, requested.format(base=root.base), "uri")

    assert str(refusal.value.describe("req_1")).isprintable()


@pytest.mark.parametrize("requested", ["a" * 4097, "é" * 2049, "a/" * 2049, "file:///" + "a" * 4089])
def test_a_path_is_at_most_4096_bytes_long(root: FileRoot, requested: str) -> None:
    with pytest.raises(PathRefused, match="too long"):
        resolve(root, requested, "uri")


@pytest.mark.parametrize(
    "requested",
    ["a" * 4092 + ".csv", "é" * 2046 + ".csv", "a" * 300 + "/b.csv", "a/" * 2000, "a" * 256 + "*"],
)
def test_a_name_too_long_for_the_disk_is_missing(root: FileRoot, requested: str) -> None:
    with pytest.raises(FileUnavailable) as missing:
        resolve(root, requested, "uri")

    assert missing.value.reason == "FILE_MISSING"
    assert len(str(missing.value.describe("req_1"))) < 4096


# Schemes


@pytest.mark.parametrize(
    "requested",
    [
        "http://localhost/a.csv",
        "https://example.org/a.csv",
        "HTTP://example.org/a.csv",
        "ftp://example.org/a.csv",
        "hf://datasets/a.csv",
        "jar://a.csv",
        "jar:file:///a.zip!/a.csv",
        "abfss://container/a.csv",
        "data://text/plain,a",
        "gopher://example.org/a.csv",
        "zip+file://a.csv",
    ],
)
def test_other_schemes_are_refused_or_no_schemes(root: FileRoot, requested: str) -> None:
    with pytest.raises(AirError) as refusal:
        resolve(root, requested, "uri")

    expected = "FILE_MISSING" if requested.startswith("jar:f") else "PATH_REFUSED"
    assert refusal.value.reason == expected


@pytest.mark.parametrize(
    "requested",
    [
        "file://host{base}/a.csv",
        "file://host:80{base}/a.csv",
        "file://user@localhost{base}/a.csv",
        "file://{base}/a.csv?version=1",
        "file://{base}/a.csv#row=1",
        "file://[::1{base}/a.csv",
        "file://[x]{base}/a.csv",
        "file://℀{base}/a.csv",
    ],
)
def test_a_file_uri_names_no_host_no_query_and_no_fragment(root: FileRoot, requested: str) -> None:
    put(root, "a.csv")

    with pytest.raises(PathRefused, match="names no host"):
        resolve(root, requested.format(base=root.base), "uri")


def test_question_marks_and_hashes_in_a_file_uri_are_escaped(root: FileRoot) -> None:
    file = put(root, "a#b?.csv")

    assert resolve(root, f"file://{root.base}/a%23b%3F.csv", "uri").files == (file,)


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_no_cloud_is_allowed_unless_it_is_said(root: FileRoot, scheme: str) -> None:
    with pytest.raises(PathRefused) as refusal:
        resolve(root, f"{scheme}://bucket/energy/a.csv", "uri")

    assert refusal.value.constraint == "PY_CLOUD_PREFIXES: none"


def test_a_cloud_uri_under_an_allowed_prefix_is_handed_on(root: FileRoot) -> None:
    root = root._replace(cloud_prefixes=("s3://bucket/energy/", "gs://other/"))

    first = resolve(root, "s3://bucket/energy/2025/a.parquet", "uri")
    second = resolve(root, "gs://other/a.CSV", "uri")

    assert first == paths.Place("a.parquet", cloud="s3://bucket/energy/2025/a.parquet")
    assert second == paths.Place("a.CSV", cloud="gs://other/a.CSV")


@pytest.mark.parametrize(
    "requested",
    [
        "s3://bucket/energy-secret/a.csv",
        "s3://bucket/energy.csv",
        "s3://bucket/a.csv",
        "s3://bucket/Energy/a.csv",
        "s3://bucket2/energy/a.csv",
        "s3://bucket@evil/energy/a.csv",
        "S3://bucket/energy/a.csv",
        "gs://bucket/energy/a.csv",
        "s3://bucket/energy/../secret/a.csv",
        "s3://bucket/energy/./../secret/a.csv",
        "s3://bucket/energy/%2e%2e/secret/a.csv",
        "s3://bucket/energy/.%2E/secret/a.csv",
        "s3://bucket/energy/..%2fsecret/a.csv",
        "s3://bucket/energy/%2e/a.csv",
        " s3://bucket/energy/a.csv",
        "s3:/bucket/energy/a.csv",
    ],
)
def test_a_cloud_uri_beside_the_allowed_prefix_is_refused(root: FileRoot, requested: str) -> None:
    root = root._replace(cloud_prefixes=("s3://bucket/energy/",))

    with pytest.raises(AirError) as refusal:
        resolve(root, requested, "uri")

    no_uri = requested.startswith((" ", "s3:/b"))
    assert refusal.value.reason == ("FILE_MISSING" if no_uri else "PATH_REFUSED")


@pytest.mark.parametrize("name", ["a", "a/", "", "v1.2/", "a/*.csv", "a.csv.gz"])
def test_a_cloud_uri_may_be_a_directory_a_pattern_or_a_file(root: FileRoot, name: str) -> None:
    root = root._replace(cloud_prefixes=("s3://bucket/",))

    assert resolve(root, f"s3://bucket/{name}", "uri").cloud == f"s3://bucket/{name}"


@pytest.mark.parametrize("name", ["a.txt", "a.parquet.gz"])
def test_a_cloud_uri_has_an_allowed_extension(root: FileRoot, name: str) -> None:
    root = root._replace(cloud_prefixes=("s3://bucket/",))

    with pytest.raises(PathRefused) as refusal:
        resolve(root, f"s3://bucket/{name}", "uri")

    assert refusal.value.reason == "EXTENSION_NOT_ALLOWED"


# Extensions


@pytest.mark.parametrize(
    "name", ["a.txt", "a.csv.exe", "a.parquet.gz", "a.csv~", ".csv", "a", "a.csv.", "a.ｃｓｖ"]
)
def test_a_file_without_an_allowed_extension_is_refused(root: FileRoot, name: str) -> None:
    put(root, name)

    with pytest.raises(PathRefused) as refusal:
        resolve(root, name, "uri")

    assert refusal.value.reason == "EXTENSION_NOT_ALLOWED"
    assert refusal.value.constraint == "one of: .csv, .parquet, .jsonl"


def test_a_missing_file_with_another_extension_is_refused_for_that(root: FileRoot) -> None:
    with pytest.raises(PathRefused) as refusal:
        resolve(root, "energy.xlsx", "uri")

    assert refusal.value.suggestion == ["energy.csv", "energy.parquet", "energy.jsonl"]


@pytest.mark.parametrize(("link", "target"), [("a.csv", "secret.txt"), ("secret", "a.csv")])
def test_a_link_and_its_target_both_need_an_allowed_extension(root: FileRoot, link: str, target: str) -> None:
    put(root, target)
    (root.real / link).symlink_to(root.real / target)

    with pytest.raises(PathRefused) as refusal:
        resolve(root, link, "uri")

    assert refusal.value.reason == "EXTENSION_NOT_ALLOWED"


# Links


def test_links_that_stay_inside_are_followed(root: FileRoot) -> None:
    file = put(root, "store/a.csv")
    (root.real / "b.csv").symlink_to("store/a.csv")
    (root.real / "shelf").symlink_to(root.real / "store")

    assert resolve(root, "b.csv", "uri").files == (file,)
    assert resolve(root, "shelf", "uri").directory == root.real / "store"
    assert resolve(root, "shelf/a.csv", "uri").files == (file,)
    assert resolve(root, "shelf/*.csv", "uri") == paths.Place("*.csv", root.real / "store", (file,))


@pytest.mark.parametrize(
    "requested", ["link.csv", "folder", "folder/secret.csv", "folder/*.csv", "chain.csv"]
)
def test_links_that_lead_outside_are_refused(root: FileRoot, outside: Path, requested: str) -> None:
    (root.real / "link.csv").symlink_to(outside / "secret.csv")
    (root.real / "folder").symlink_to(outside)
    (root.real / "chain.csv").symlink_to("link.csv")

    with pytest.raises(PathRefused, match="outside"):
        resolve(root, requested, "uri")


def test_a_link_outside_and_back_is_judged_by_where_it_ends(root: FileRoot, outside: Path) -> None:
    file = put(root, "a.csv")
    (outside / "back").symlink_to(root.real)
    (root.real / "round").symlink_to(outside / "back")

    assert resolve(root, "round/a.csv", "uri").files == (file,)


def test_loops_of_links_are_missing(root: FileRoot) -> None:
    (root.real / "a.csv").symlink_to("b.csv")
    (root.real / "b.csv").symlink_to("a.csv")
    (root.real / "self").symlink_to("self")

    for requested in ("a.csv", "b.csv", "self", "self/a.csv", "self/*.csv"):
        with pytest.raises(FileUnavailable) as missing:
            resolve(root, requested, "uri")
        assert missing.value.reason == "FILE_MISSING"


def test_a_hard_link_is_a_file_like_others(root: FileRoot, outside: Path) -> None:
    (root.real / "hard.csv").hardlink_to(outside / "secret.csv")

    assert resolve(root, "hard.csv", "uri").files == (root.real / "hard.csv",)


def test_contained_is_judged_by_whole_names(root: FileRoot) -> None:
    assert contained(root, root.real) == root.real
    assert contained(root, root.real / "a") == root.real / "a"
    assert contained(root, root.real.with_name("base-other")) is None
    assert contained(root, root.real.parent) is None


# What is no plain file


def test_a_pipe_is_refused_at_once(root: FileRoot) -> None:
    os.mkfifo(root.real / "pipe.csv")

    with pytest.raises(FileUnavailable) as refusal:
        resolve(root, "pipe.csv", "uri")

    assert refusal.value.reason == "UNSUPPORTED"


def test_a_socket_is_refused_at_once(root: FileRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.real)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.csv")

        with pytest.raises(FileUnavailable) as refusal:
            resolve(root, "socket.csv", "uri")

    assert refusal.value.reason == "UNSUPPORTED"


def test_a_device_is_refused_at_once(root: FileRoot) -> None:
    try:
        os.mknod(root.real / "zero.csv", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root may make a device")

    with pytest.raises(FileUnavailable) as refusal:
        resolve(root, "zero.csv", "uri")

    assert refusal.value.reason == "UNSUPPORTED"


@pytest.mark.parametrize("requested", ["*.csv", "*/pipe.csv", "**"])
def test_patterns_pass_over_what_is_no_plain_file(root: FileRoot, requested: str) -> None:
    put(root, "a.csv")
    (root.real / "folder").mkdir()
    os.mkfifo(root.real / "pipe.csv")
    os.mkfifo(root.real / "folder" / "pipe.csv")
    file = put(root, "other/pipe.csv") if "/" in requested else root.real / "a.csv"

    assert resolve(root, requested, "uri").files == (file,)


# Patterns


def test_a_name_that_exists_is_no_pattern(root: FileRoot) -> None:
    exact = put(root, "a[1].csv")
    other = put(root, "a1.csv")
    star = put(root, "*.csv")

    assert resolve(root, "a[1].csv", "uri").files == (exact,)
    assert resolve(root, "*.csv", "uri").files == (star,)
    assert resolve(root, "a[0-9].csv", "uri").files == (other,)
    exact.unlink()
    assert resolve(root, "a[1].csv", "uri").files == (other,)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv", "b.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        ("[!a].csv", ["b.csv"]),
        ("{base}/*.csv", ["a.csv", "b.csv"]),
        ("file://{base}/*.csv", ["a.csv", "b.csv"]),
        ("*", ["UPPER.CSV", "a.csv", "b.csv", "c.jsonl"]),
        ("*.[cC][sS][vV]", ["UPPER.CSV", "a.csv", "b.csv"]),
        ("2025/*.csv", ["2025/d.csv"]),
        ("*/*.csv", ["2025/d.csv"]),
        ("**/*.csv", ["2025/01/e.csv", "2025/d.csv", "a.csv", "b.csv"]),
        ("2025/**", ["2025/01/e.csv", "2025/d.csv"]),
        ("2025/**/*.csv", ["2025/01/e.csv", "2025/d.csv"]),
        ("**/01/*", ["2025/01/e.csv"]),
        ("**/**/e.csv", ["2025/01/e.csv"]),
        ("*/01/e.csv", ["2025/01/e.csv"]),
        ("2025/0[0-9]/e.csv", ["2025/01/e.csv"]),
        ("_*/*.csv", ["_notes/n.csv"]),
        ("_notes/*.csv", ["_notes/n.csv"]),
        (".*.csv", [".hidden.csv"]),
    ],
)
def test_a_pattern_is_the_data_files_that_match_it(root: FileRoot, pattern: str, expected: list[str]) -> None:
    files = (
        "a.csv b.csv c.jsonl UPPER.CSV x.txt .hidden.csv _notes/n.csv 2025/d.csv 2025/01/e.csv 2025/_f.csv"
    )
    for name in files.split():
        put(root, name)

    place = resolve(root, pattern.format(base=root.base), "uri")

    assert [str(path.relative_to(root.real)) for path in place.files] == expected


@pytest.mark.parametrize(
    ("pattern", "directory"), [("*.csv", "."), ("2025/*.csv", "2025"), ("2025/*/x=1/*.csv", "2025")]
)
def test_the_directory_of_a_pattern_is_what_stands_before_its_letters(
    root: FileRoot, pattern: str, directory: str
) -> None:
    for name in ("a.csv", "2025/a.csv", "2025/a/x=1/a.csv"):
        put(root, name)

    assert resolve(root, pattern, "uri").directory == root.real / directory


@pytest.mark.parametrize(
    "pattern", ["*.txt", "*.parquet", "z*.csv", "missing/*.csv", "a.csv/*.csv", "[", "*/[!a].csv"]
)
def test_a_pattern_without_a_data_file_is_missing(root: FileRoot, pattern: str) -> None:
    put(root, "a.csv")
    put(root, "a.txt")
    put(root, "b/a.csv")

    with pytest.raises(FileUnavailable, match="no data file that matches") as missing:
        resolve(root, pattern, "uri")

    assert missing.value.reason == "FILE_MISSING"


def test_patterns_never_reach_outside_through_links(root: FileRoot, outside: Path) -> None:
    file = put(root, "a.csv")
    (outside / "deep").mkdir()
    (outside / "deep" / "secret.csv").touch()
    (root.real / "folder").symlink_to(outside)
    (root.real / "link.csv").symlink_to(outside / "secret.csv")

    for pattern in ("*.csv", "**/*.csv", "**", "*"):
        assert resolve(root, pattern, "uri").files == (file,)
    for pattern in ("*/*.csv", "*/secret.csv", "f*/deep/*.csv"):
        with pytest.raises(FileUnavailable):
            resolve(root, pattern, "uri")


def test_a_pattern_ends_among_loops_of_links(root: FileRoot) -> None:
    file = put(root, "deep/er/a.csv")
    for number in range(8):
        (root.real / f"loop{number}").symlink_to(root.real)
        (root.real / "deep" / f"loop{number}").symlink_to("..")

    for pattern in ("**/*.csv", "**/**/**/a.csv", "*/*/*/*/*/*/*/*/er/a.csv", "**"):
        assert resolve(root, pattern, "uri").files == (file,)


def test_a_file_that_two_names_reach_is_one_file(root: FileRoot) -> None:
    file = put(root, "a.csv")
    (root.real / "b.csv").symlink_to("a.csv")

    assert resolve(root, "*.csv", "uri").files == (file,)


def test_a_pattern_that_matches_too_much_is_refused_and_not_cut(
    root: FileRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "MOST_MATCHES", 3)
    for number in range(3):
        put(root, f"{number}.csv")

    assert len(resolve(root, "*.csv", "uri").files) == 3
    put(root, "3.csv")
    with pytest.raises(PathRefused, match="more than 3 files"):
        resolve(root, "*.csv", "uri")


def test_braces_are_letters_of_a_name(root: FileRoot) -> None:
    put(root, "a.csv")
    file = put(root, "{a,b}.csv")

    assert not is_pattern("{a,b}.csv")
    assert resolve(root, "{a,b}.csv", "uri").files == (file,)


# Missing


def test_a_misspelt_path_suggests_the_nearest_names_beside_it(root: FileRoot) -> None:
    for name in ("energy/measurements.csv", "energy/mesurement.txt", "energy/.measurement.csv", "sites.csv"):
        put(root, name)

    with pytest.raises(FileUnavailable, match=r'did you mean "measurements\.csv"') as missing:
        resolve(root, "energy/measurement.csv", "uri")
    with pytest.raises(FileUnavailable) as directory_missing:
        resolve(root, "enrgy", "path")

    assert missing.value.suggestion == ["energy/measurements.csv"]
    assert (missing.value.code, missing.value.reason) == ("IO_ERROR", "FILE_MISSING")
    assert directory_missing.value.suggestion == ["energy"]
    assert directory_missing.value.field == "path"


def test_locate_finds_nothing_where_nothing_is(root: FileRoot) -> None:
    assert locate(root, "a.csv", "uri") is None
    assert locate(root, "*.csv", "uri") is None
    assert locate(root, "a.xlsx", "uri") is None


def test_only_so_many_names_are_compared(root: FileRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_COMPARED_NAMES", 2)
    for name in ("a.csv", "b.csv", "c.csv"):
        put(root, name)

    assert [entry.name for entry in neighbours(root, root.real)] == ["a.csv", "b.csv"]


def test_below_a_file_there_is_nothing(root: FileRoot) -> None:
    put(root, "a.csv")

    with pytest.raises(FileUnavailable) as missing:
        resolve(root, "a.csv/b.csv", "uri")

    assert missing.value.reason == "FILE_MISSING"


def test_what_lies_in_a_folder_that_may_not_be_entered_is_missing(public_root: FileRoot) -> None:
    put(public_root, "locked/a.csv")
    (public_root.real / "locked").chmod(0)

    with without_privileges():
        with pytest.raises(FileUnavailable) as missing:
            resolve(public_root, "locked/a.csv", "uri")
        with pytest.raises(FileUnavailable, match='"locked" may not be read') as unreadable:
            resolve(public_root, "locked/*.csv", "uri")
        place = resolve(public_root, "locked", "uri")
    (public_root.real / "locked").chmod(0o700)

    assert missing.value.reason == "FILE_MISSING"
    assert unreadable.value.reason == "UNREADABLE_FILE"
    assert place.directory == public_root.real / "locked"


# Whatever may come


@pytest.mark.skipif(not TRAVERSAL.exists(), reason="the public corpora are not here")
def test_no_public_traversal_payload_leads_outside(root: FileRoot, outside: Path) -> None:
    put(root, "a.csv")
    payloads = TRAVERSAL.read_text().splitlines()
    offenders = []
    for payload in payloads:
        for requested in (
            payload,
            f"{root.base}/{payload}",
            f"file://{payload}",
            f"file://{root.base}/{payload}",
        ):
            try:
                place = resolve(root, requested, "uri")
                reached = [*place.files, *([place.directory] if place.directory else [])]
                if not all(path.is_relative_to(root.real) for path in reached):
                    offenders.append(requested)
            except AirError as error:
                if str(outside) in str(error.describe("req_1")):
                    offenders.append(requested)
        try:
            dataset = find_dataset(root, "ds", payload, "plan.dataset")
            if not all(path.is_relative_to(root.real) for path in dataset.files):
                offenders.append(payload)
        except AirError:
            pass

    assert len(payloads) > 500
    assert offenders == []


@pytest.fixture(scope="module")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> FileRoot:
    """A base path with a way out, for many requests."""
    top = tmp_path_factory.mktemp("shared")
    (top / "base" / "a").mkdir(parents=True)
    (top / "base" / "a" / "b.csv").touch()
    (top / "outside").mkdir()
    (top / "outside" / "b.csv").touch()
    (top / "base" / "out").symlink_to(top / "outside")
    (top / "base" / "loop").symlink_to(".")
    return FileRoot.at(top / "base", EXTENSIONS, ("s3://bucket/a/",))


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["..", ".", "/", "//", "a", "b.csv", "out", "loop", "outside", "base", "~", " ", "\0", "\\"]
        ),
        st.sampled_from(["*", "**", "?", "[", "]", "[a]", "%2e%2e", "%2f", "#", ":", "@"]),
        st.sampled_from(["file://", "s3://bucket/a/", "http://"]),
        st.text(max_size=3),
    ),
    max_size=8,
)


@given(pieces=PIECES, glue=st.sampled_from(["", "/"]), absolute=st.booleans())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_whatever_is_asked_ends_inside_or_in_an_error_of_ours(
    shared_root: FileRoot, pieces: list[str], glue: str, *, absolute: bool
) -> None:
    requested = (f"{shared_root.base}/" if absolute else "") + glue.join(pieces)

    try:
        place = resolve(shared_root, requested, "uri")
    except AirError as error:
        described = error.describe("req_1")
    else:
        described = {"code": "fine"}
        for path in (*place.files, *([place.directory] if place.directory else [])):
            assert path.resolve().is_relative_to(shared_root.real)
        assert place.cloud is None or place.cloud.startswith("s3://bucket/a/")

    assert described["code"] in {"fine", "VALIDATION_ERROR", "IO_ERROR"}
