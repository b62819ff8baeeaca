"""The servers that other tests stand on are what they say."""

import pytest

from servers import Server


@pytest.mark.server
def test_mariadb_runs(mariadb: Server) -> None:
    mariadb.run(["CREATE DATABASE alive", "CREATE TABLE alive.t (a INT PRIMARY KEY)", "DROP DATABASE alive"])
    assert "MariaDB" in mariadb.version


@pytest.mark.server
def test_mysql_57_runs(mysql57: Server) -> None:
    mysql57.run(["CREATE DATABASE alive", "CREATE TABLE alive.t (a INT PRIMARY KEY)", "DROP DATABASE alive"])
    assert mysql57.version.startswith("5.7.")
