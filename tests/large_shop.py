"""An application of 150 tables, by arithmetic: departments of ten tables around a hub, and traffic that thins out."""

from pathlib import Path

import yaml

from small_shop import general_log

DEPARTMENTS, TABLES = 15, 10


def name(department: int, table: int) -> str:
    """Table 0 of a department is its hub."""
    return f"d{department:02}_t{table}"


def schema() -> str:
    """The DDL: each table refers to its hub, each hub to that of the department before."""
    made = []
    for department in range(DEPARTMENTS):
        for table in range(TABLES):
            parent = name(department, 0) if table else name(max(0, department - 1), 0)
            made.append(
                f"CREATE TABLE {name(department, table)} (id int NOT NULL, parent_id int NOT NULL, "
                f"label varchar(40) NOT NULL, note text, PRIMARY KEY (id)"
            )
            if department or table:
                made.append(f", KEY p (parent_id), CONSTRAINT c_{department}_{table} FOREIGN KEY (parent_id) ")
                made.append(f"REFERENCES {parent} (id)")
            made.append(");\n")
    return "".join(made)


def queries() -> list[str]:
    """The first departments are asked most; every table is asked at least once."""
    found = []
    for department in range(DEPARTMENTS):
        for table in range(TABLES):
            this, hub = name(department, table), name(department, 0)
            for n in range(max(1, 8 - department)):
                found.append(f"SELECT label FROM {this} WHERE id = {n}")
                if table:
                    found.append(
                        f"SELECT h.label, c.label FROM {this} c JOIN {hub} h ON h.id = c.parent_id WHERE c.id = {n}"
                    )
            found.append(f"UPDATE {this} SET label = 'x' WHERE id = {department}")
    return found


def write_large_shop(folder: Path) -> Path:
    """The project's folder."""
    folder.mkdir(parents=True)
    (folder / "schema.sql").write_text(schema())
    (folder / "general.log").write_text(general_log(queries()))
    config = {"inputs": {"schema_files": ["schema.sql"], "general_logs": ["general.log"]}}
    (folder / "ddbmig.yaml").write_text(yaml.safe_dump(config))
    return folder
