"""A SQLite database beside its log, seen from outside: it has no server to ask."""

from collections.abc import Mapping
from pathlib import Path

MAGICS = (0x377F0682, 0x377F0683)
"""How a write-ahead log begins (sqlite.org/fileformat2.html#walformat)."""
SALT = slice(16, 20)
"""Of its header: one more each time the log is begun anew, which is after each whole checkpoint.
The checkpoint sequence number beside it is each connection's own count."""
WAL = "-wal"


def read(folder: Path) -> Mapping[str, float]:
    """Read the files of the databases in a folder; nothing where there are none."""
    databases = [path for path in folder.glob("*.sqlite3") if path.is_file()]
    if not databases:
        return {}
    logs = [log for path in databases if (log := Path(f"{path}{WAL}")).exists()]
    found = {
        "data_bytes": float(sum(path.stat().st_size for path in databases)),
        "log_bytes": float(sum(path.stat().st_size for path in logs)),
    }
    begun = [_begun(log) for log in logs]
    return {**found, "checkpoints": float(sum(begun))} if begun else found


def _begun(log: Path) -> int:
    with log.open("rb") as file:
        header = file.read(SALT.stop)
    if len(header) < SALT.stop or int.from_bytes(header[:4]) not in MAGICS:
        return 0
    return int.from_bytes(header[SALT])
