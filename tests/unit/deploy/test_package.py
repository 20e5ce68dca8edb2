"""What goes into a package, and what does not, depends on the spec and on what is installed."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from kit.paths import ROOT
from kit.specs import valid
from plait.deploy.package import package
from plait.deploy.requirements import ALWAYS_NEEDED, AWS_SDK, required_distributions, running_target
from plait.deploy.trim import trim
from plait.language.validate import validate
from plait.plugin import GiveUp

if TYPE_CHECKING:
    from plait.language.spec import Spec

SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: "s3://in/orders/*.json", columns: {id: string, at: timestamp}}
LOOKUP
PARTITION
sink: {connector: parquet, path: "s3://out/orders/"}
"""
STORES = (
    "  stores: {connector: mysql, secret: s, table: a.b, columns: {name: string}, join: {on: id}, ca: CA}"
)
HERE = running_target()


def spec_of(lookup: str = "", partition: str = "") -> Spec:
    return valid(SPEC, LOOKUP=lookup, PARTITION=partition)


def names(spec: Spec, **options: bool) -> set[str]:
    return {*required_distributions(spec, HERE, **options)}


def test_only_what_the_connectors_and_partitions_of_the_spec_need_goes_in() -> None:
    assert names(spec_of()) == {"plait", *ALWAYS_NEEDED}
    assert names(spec_of(STORES)) == {"plait", "pymysql", *ALWAYS_NEEDED}
    assert names(spec_of(partition="partition_by: {b: 'bucket(4, id)'}")) == {"plait", "mmh3", *ALWAYS_NEEDED}


def test_a_sink_that_is_a_table_needs_no_distribution_more() -> None:
    """Glue is called by boto3, which the runtime has; awswrangler and pandas are for people."""
    text = SPEC.replace('orders/"}', 'orders/", table: shop.orders}')
    parted = valid(text, LOOKUP="", PARTITION="partition_by: {date: date(at)}")
    assert names(parted) == names(spec_of(partition="partition_by: {date: date(at)}"))


def test_boto3_is_left_to_the_runtime_unless_asked_for() -> None:
    assert not names(spec_of()) & {*AWS_SDK, "urllib3"}
    assert names(spec_of(), with_boto3=True) >= {*AWS_SDK, "urllib3", "jmespath", "python-dateutil", "six"}


def test_a_package_for_spark_has_boto3_and_the_batches_of_a_backfill() -> None:
    """Whatever the executors' images have; the function has no use for the batches."""
    spark = replace(HERE, spark=True)
    assert {*required_distributions(spec_of(), spark)} == names(spec_of(), with_boto3=True)
    files = {"plait/backfill/spark.py": Path("unread"), "plait/cli/main.py": Path("unread")}
    assert [*trim(files, backfill=True)] == ["plait/backfill/spark.py"]
    assert not trim(files)


def test_what_the_function_imports_is_in_its_package_or_in_the_runtime() -> None:
    """Every import of the packaged sources counts, also within functions; only the optional extras are left out."""
    folders = ((ROOT / "framework", "plait"), (ROOT / "plugins", "plait_connectors"))
    sources = {f.relative_to(top).as_posix(): f for top, name in folders for f in (top / name).rglob("*.py")}
    packaged = trim(sources)
    assert "plait/aws_lambda/function.py" in packaged
    assert "plait/cli/main.py" not in packaged
    imported = {top for file in packaged.values() for top in _imports(file)} - sys.stdlib_module_names
    distributions = packages_distributions()
    allowed = {*ALWAYS_NEEDED, *AWS_SDK, "mmh3", "plait", "pymysql", "pyyaml"}
    foreign = imported - {"plait", "plait_connectors"}
    assert {top for top in foreign if not {n.lower() for n in distributions[top]} & allowed} == set()


def _imports(file: Path) -> set[str]:
    """The top-level packages that a file imports when it runs."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    guards = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    skipped = {id(below) for node in guards for below in ast.walk(node)}
    packages: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            packages.add((node.module or "").partition(".")[0])
    return packages


def test_a_library_of_arrow_stays_only_where_something_loads_it(tmp_path: Path) -> None:
    """Directly or through another library; extension modules of unused parts are left out before."""
    loaded = {
        "lib.cpython-311-x86_64-linux-gnu.so": b"\0libarrow.so.25\0",
        "libarrow.so.25": b"\0libparquet.so.25\0",
        "libparquet.so.25": b"",
        "compute.py": b"",
    }
    unused = {"_flight.cpython-311-x86_64-linux-gnu.so": b"\0libarrow_flight.so.25\0"}
    unused |= {
        "_dataset.cpython-311-x86_64-linux-gnu.so": b"",
        "libarrow_flight.so.25": b"",
        "flight.py": b"",
    }
    unused |= {"include/arrow.h": b"", "tests/test_array.py": b""}
    files = {}
    for name, text in {**loaded, **unused}.items():
        files[f"pyarrow/{name}"] = tmp_path / name.replace("/", "_")
        files[f"pyarrow/{name}"].write_bytes(text)
    assert trim(files).keys() == {f"pyarrow/{name}" for name in loaded}


def test_only_names_entry_points_and_licences_of_the_metadata_are_packaged() -> None:
    needed = ["METADATA", "entry_points.txt", "licenses/LICENSE", "LICENSE.txt"]
    unneeded = ["RECORD", "INSTALLER", "direct_url.json", "uv_cache.json", "WHEEL", "top_level.txt"]
    files = {f"some-1.0.dist-info/{name}": Path("unread") for name in (*needed, *unneeded)}
    assert {name.partition("/")[2] for name in trim(files)} == set(needed)


def test_a_file_that_options_name_is_packaged_or_refused_as_missing_or_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plait.deploy.package import option_files

    monkeypatch.chdir(tmp_path)
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "rds.pem").write_text("not one")
    files = option_files(spec_of(STORES.replace("CA", "certificates/rds.pem")))
    assert files == {"certificates/rds.pem": Path("certificates/rds.pem")}
    for path in ("/etc/rds.pem", "../rds.pem"):
        with pytest.raises(GiveUp, match="not below the folder"):
            option_files(spec_of(STORES.replace("CA", path)))
    with pytest.raises(GiveUp, match=r"there is no file `rds\.pem`"):
        option_files(spec_of(STORES.replace("CA", "rds.pem")))


def test_a_package_that_lambda_would_not_take_is_refused_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is lowered below the size of the smallest package."""
    from plait.deploy import package as module

    monkeypatch.setattr(module, "UNZIPPED_LIMIT", 100 * 1024 * 1024)
    text = SPEC.replace("LOOKUP\nPARTITION\n", "").encode()
    validated = validate(text, "orders.yaml")
    assert validated.spec is not None
    assert validated.source_map is not None
    with pytest.raises(GiveUp, match=r"the package has \d+ MB, and Lambda takes 105") as refused:
        package(validated.spec, text, validated.source_map.value, HERE, tmp_path / "orders.zip")
    assert "`pyarrow`" in str(refused.value.help)
    assert not [*tmp_path.iterdir()]
