"""The tables of the bridge's database."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)

METADATA = MetaData()

_LONG = BigInteger().with_variant(Integer, "sqlite")

IDENTITY = Table(
    "identity",
    METADATA,
    Column("store", String(32), primary_key=True, comment="which database this is, to agents"),
    Column("epoch", Integer, nullable=False, comment="how often a bridge has begun to lead with it"),
)

LEASE = Table(
    "lease",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="1: there is one lease"),
    Column("holder", String(32), nullable=False, comment="who leads, random each time; empty: nobody"),
    Column("beat", BigInteger, nullable=False, comment="goes on while the holder lives"),
    Column("locked", Boolean, nullable=False, comment="whether the holder has the lock beside the database's file"),
)

BOARDS = Table(
    "boards",
    METADATA,
    Column("agent", String(63), primary_key=True),
    Column("capabilities", Text, comment="the last document heard"),
)

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("agent", String(63), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("updated", String(32), nullable=False),
    Column("by", String(63), nullable=False),
    Column("document", Text, nullable=False, comment="points and displays"),
)

REMOVED = Table(
    "removed",
    METADATA,
    Column("topic", Text, primary_key=True, comment="a retained topic of what is no more"),
    Column("agent", String(63), nullable=False, index=True),
)

POINTS = Table(
    "points",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("agent", String(63), nullable=False, index=True),
    Column("name", String(63), comment="null: nobody's any more, its history goes with time"),
    sqlite_autoincrement=True,  # the history of an id that was somebody else's must not become ours
)

HISTORY = Table(
    "history",
    METADATA,
    Column("point", Integer, primary_key=True, autoincrement=False),
    Column("t_ms", _LONG, primary_key=True, comment="Unix milliseconds"),
    Column("value", Double, nullable=False),
    sqlite_with_rowid=False,
)


def _summaries(name: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("point", Integer, primary_key=True, autoincrement=False),
        Column("t_ms", _LONG, primary_key=True, comment="Unix milliseconds of its begin"),
        Column("low", Double, nullable=False),
        Column("high", Double, nullable=False),
        Column("mean", Double, nullable=False),
        Column("count", _LONG, nullable=False, comment="of values"),
        sqlite_with_rowid=False,
    )


MINUTES = _summaries("minutes")

HOURS = _summaries("hours")

KEPT = Table(
    "kept",
    METADATA,
    Column("t_ms", _LONG, primary_key=True, autoincrement=False, comment="Unix milliseconds of an hour's begin"),
    Column("count", _LONG, nullable=False, comment="of the values that were written of it; a few may be counted twice"),
)

GAPS = Table(
    "gaps",
    METADATA,
    Column("point", Integer, ForeignKey("points.id", ondelete="CASCADE"), primary_key=True),
    Column("from_ms", _LONG, primary_key=True, comment="Unix milliseconds"),
    Column("to_ms", _LONG, comment="null: it goes on"),
    sqlite_with_rowid=False,
)

ALIVE = Table(
    "alive",
    METADATA,
    Column("t_ms", _LONG, primary_key=True, comment="a bridge was there"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", _LONG, primary_key=True, autoincrement=True),
    Column("t_ms", _LONG, nullable=False, comment="Unix milliseconds"),
    Column("board", String(63), comment="null: all boards; the newest are wanted, so that the key is the best index"),
    Column("point", String(63)),
    Column("what", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("verified", Boolean, nullable=False, comment="whether the web app vouches for who it was"),
    Column("origin", String(16), nullable=False),
    Column("address", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("id", Text, nullable=False),
)

# A point's day lies scattered among those of all points: with the value in its key, and that swept of what is no more
# as soon as a day is written and not as soon as a fifth of the table is, reading it needs the key alone.
event.listen(
    HISTORY,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "ALTER TABLE history DROP CONSTRAINT history_pkey, ADD PRIMARY KEY (point, t_ms) INCLUDE (value), "
        "SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000, "
        "autovacuum_vacuum_scale_factor = 0.02)"
    ).execute_if(dialect="postgresql"),
)
