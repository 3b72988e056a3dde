"""Does `dtg provision` make topics, users and rights on another cluster, and say what the cluster lacks?"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.rights import make_credentials
from schemas.rights import PROVISION, SANDBOX, table
from schemas.topics import CATALOGUE
from services.cli.processes import kafka_environment
from services.shell.access import Access, NoAccess, file_of, try_access
from tests.rights.test_every_credential import expected
from tests.rights.walk import walk, written


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Broker]:
    """A cluster whose only user is its administrator."""
    make_credentials(tmp_path / "credentials", [], owner=PROVISION)
    running = Broker(tmp_path / "kafka", free_port(), owner=file_of(tmp_path / "credentials", PROVISION))
    running.start()
    yield running
    running.stop()


def dtg(access: Access, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **kafka_environment(access), "DTG_PARTITIONS": "1", "COLUMNS": "400", **env}
    program = [sys.executable, "-m", "services.cli.main", *arguments]
    return subprocess.run(
        program, check=False, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=250
    )


def test_a_cluster_gets_topics_users_and_rights_once(cluster: Broker, tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    plain = table(sandbox=False)
    first = dtg(cluster.access, "provision")
    assert first.returncode == 0, first
    assert f"{len(plain)} credentials made" in first.stdout and f"{len(CATALOGUE)} topics made" in first.stdout
    written(cluster.access)
    for name in ("gate", "door", "port"):
        assert walk(Access(cluster.bootstrap, "SASL_PLAINTEXT", file_of(folder, name))) == expected(plain[name])
    again = dtg(cluster.access, "provision")
    assert again.returncode == 0 and "The rights are there" in again.stdout and "topics are there" in again.stdout, (
        again
    )
    shown = first.stdout + first.stderr + again.stdout + again.stderr
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        password = Access("127.0.0.1:9", "SASL_PLAINTEXT", file).credential().password
        assert len(password) == 64 and password not in shown

    assert dtg(cluster.access, "provision", "--sandbox").returncode == 0
    people = [Access(cluster.bootstrap, "SASL_PLAINTEXT", file_of(folder, name)) for name in SANDBOX]
    for each in people:
        try_access(each, 30)
    assert dtg(cluster.access, "provision").returncode == 0
    for each in people:
        with pytest.raises(NoAccess):
            try_access(each, 30)


def test_what_is_missing_is_said_in_both_languages(cluster: Broker, tmp_path: Path) -> None:
    plain = dtg(Access(cluster.bootstrap), "provision")
    assert plain.returncode == 1 and "DTG_KAFKA_SECURITY" in plain.stderr and "集群未启用登录" in plain.stderr
    empty = dtg(Access(cluster.bootstrap, "SASL_PLAINTEXT", tmp_path / "none" / "provision.json"), "provision")
    assert empty.returncode == 1 and "provision.json is missing" in empty.stderr and "凭据" in empty.stderr
    assert not (tmp_path / "none").exists()


def test_a_cluster_without_an_authorizer_is_told_apart(tmp_path: Path) -> None:
    make_credentials(tmp_path / "credentials", [], owner=PROVISION)
    owner = file_of(tmp_path / "credentials", PROVISION)
    running = Broker(tmp_path / "kafka", free_port(), owner=owner, settings={"authorizer.class.name": ""})
    running.start()
    try:
        ended = dtg(running.access, "provision")
    finally:
        running.stop()
    assert ended.returncode == 1 and "no authorizer" in ended.stderr and "集群未启用权限控制" in ended.stderr, ended


def test_the_table_is_shown_without_a_cluster() -> None:
    shown = dtg(Access("127.0.0.1:9"), "provision", "--show")
    assert shown.returncode == 0 and "customs-gate-facts" in shown.stdout and "simulator" not in shown.stdout
    assert "simulator" in dtg(Access("127.0.0.1:9"), "provision", "--show", "--sandbox").stdout
