-- Trails of incidents: the routes of their space before they began, and every change since. Not made
-- of the journal, and not touched when the tables are made anew: nothing refers to another table.
CREATE TABLE trails (
    -- Number of the incident; numbers are never given again.
    number INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    -- NULL while it goes on.
    ended_at INTEGER,
    -- Position of the engine up to which everything is in it.
    through INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    events INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    -- Bits: why it is not complete.
    faults INTEGER NOT NULL
) STRICT;
CREATE INDEX trails_by_end ON trails (ended_at);
CREATE INDEX trails_by_position ON trails (through);

CREATE TABLE trail_blocks (
    number INTEGER NOT NULL,
    -- From 0, in the order in which they were written.
    block INTEGER NOT NULL,
    -- Position of the part whose routes these are; NULL: events.
    part INTEGER,
    -- Of routes: right before which time they stood.
    since INTEGER,
    -- Of events: number of the first.
    first INTEGER,
    count INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (number, block)
) STRICT;

-- Peers of collectors that trails have routes of.
CREATE TABLE trail_sources (
    id INTEGER PRIMARY KEY,
    collector TEXT NOT NULL,
    asn INTEGER NOT NULL,
    addr TEXT NOT NULL,
    UNIQUE (collector, asn, addr)
) STRICT;
