"""Clusters of a few processes on this machine, which listen on the loopback device only."""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

# Compiling less makes short runs faster.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
LOOPBACK = "127.0.0.1"
SPARK_SETTINGS = {
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
    "spark.driver.host": LOOPBACK,
    "spark.driver.memory": "512m",
    "spark.executor.extraJavaOptions": JAVA_OPTIONS,
    "spark.executor.memory": "512m",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "2",
    "spark.task.maxFailures": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
RAY_ENVIRONMENT = {
    # Nothing is sent to anyone.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Otherwise Ray listens on all devices of a machine with Linux.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Two actors take two, and tasks that read take some.
    "RAY_OVERRIDE_RESOURCES": '{"CPU": 4}',
}


def spark_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process that starts Spark, which writes to a folder only.

    The executors of a local cluster write beside the jars, so the folder gets links to these.
    """
    import pyspark

    (folder / "conf").mkdir(parents=True)
    lines = [f"{name} {value}\n" for name, value in SPARK_SETTINGS.items()]
    lines.append(f"spark.sql.warehouse.dir {folder / 'warehouse'}\n")
    (folder / "conf" / "spark-defaults.conf").write_text("".join(lines))
    for name in ("bin", "jars", "python", "sbin"):
        (folder / name).symlink_to(Path(pyspark.__file__).with_name(name))
    return {
        "SPARK_HOME": str(folder),
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "PYSPARK_PYTHON": sys.executable,
    }


@contextmanager
def spark_cluster(folder: Path):
    """Yield a session with two executors, each a process with Python workers of its own."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    with started(spark_environment(folder)):
        session = SparkSession.builder.master("local-cluster[2,1,512]").getOrCreate()
        gateway = SparkContext._gateway
        try:
            yield session
        finally:
            session.stop()
            # Java would run on until this process ends.
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(60)
            SparkContext._gateway = SparkContext._jvm = None


@contextmanager
def ray_cluster():
    """Start Ray, without bars and messages."""
    with (
        temporary_folder() as folder,
        started(RAY_ENVIRONMENT),
        pytest.MonkeyPatch.context() as patch,
    ):
        # Workers import from the current folder, which may hold the sources of this package.
        patch.chdir(folder)
        import ray
        import ray.data

        # Ray reads the variable when it is imported, which another test may have done.
        patch.setattr("ray._private.ray_constants.ENABLE_RAY_CLUSTER", False)

        ray.init(
            _temp_dir=folder,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            object_store_memory=100 << 20,
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel("ERROR")
        try:
            yield
        finally:
            ray.shutdown()


def temporary_folder():
    """A folder with a short path, as Ray needs it for its sockets."""
    return tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True)


@contextmanager
def started(environment: dict[str, str]):
    """Set an environment, and check that no process is left to which it was handed down."""
    mark = f"FASTTEXT_LITE_CLUSTER={uuid.uuid4()}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (*environment.items(), mark.split("=")):
            patch.setenv(name, value)
        yield
    end = time.monotonic() + 30
    while left := list(_marked(mark.encode())):
        assert time.monotonic() < end, f"processes are left: {left}"
        time.sleep(0.2)


def _marked(mark: bytes):
    """The commands of processes that have a text in their environment, with which they began."""
    for process in Path("/proc").glob("[0-9]*"):
        # Those of others cannot be read, and others end meanwhile.
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes():
                yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
