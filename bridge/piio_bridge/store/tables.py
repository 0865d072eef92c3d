"""The tables of the bridge's database."""

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, MetaData, String, Table, Text

METADATA = MetaData()

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
    Column("topic", String(255), primary_key=True, comment="a retained topic of what is no more"),
    Column("agent", String(63), nullable=False, index=True),
)

POINTS = Table(
    "points",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("agent", String(63), nullable=False, index=True),
    Column("name", String(63), comment="null for one whose name another point has now"),
)

HISTORY = Table(
    "history",
    METADATA,
    Column("point", Integer, ForeignKey("points.id", ondelete="CASCADE"), primary_key=True),
    Column("t_ms", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="Unix milliseconds"),
    Column("value", Double, nullable=False),
    sqlite_with_rowid=False,
)

GAPS = Table(
    "gaps",
    METADATA,
    Column("point", Integer, ForeignKey("points.id", ondelete="CASCADE"), primary_key=True),
    Column("from_ms", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="Unix milliseconds"),
    Column("to_ms", BigInteger().with_variant(Integer, "sqlite"), comment="null: it goes on"),
    sqlite_with_rowid=False,
)

ALIVE = Table(
    "alive",
    METADATA,
    Column("t_ms", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="a bridge was there"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("t_ms", BigInteger().with_variant(Integer, "sqlite"), nullable=False, comment="Unix milliseconds"),
    Column("board", String(63), comment="null: all boards; the newest are wanted, so that the key is the best index"),
    Column("point", String(63)),
    Column("what", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("by", String(63), nullable=False),
    Column("verified", Boolean, nullable=False, comment="whether the web app vouches for who it was"),
    Column("origin", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("id", String(64), nullable=False),
)
