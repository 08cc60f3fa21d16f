-- Tables that are made of the journal alone. Times are microseconds since 1970.
CREATE TABLE incidents (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- The present one of incident_ids.
    detector_id TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    class TEXT NOT NULL,
    confidence INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    ended_at INTEGER,
    is_open INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    digest BLOB NOT NULL,
    -- The row of the journal that has the whole of it.
    seq INTEGER NOT NULL
) STRICT;
-- Each ends with the number, as every index on a table with one does.
CREATE INDEX incidents_by_time ON incidents (first_seen);
CREATE INDEX incidents_by_kind ON incidents (kind, first_seen);
CREATE INDEX incidents_by_class ON incidents (class, first_seen);
CREATE INDEX incidents_by_state ON incidents (state, first_seen);
CREATE INDEX incidents_by_kind_class ON incidents (kind, class, first_seen);
CREATE INDEX incidents_by_kind_state ON incidents (kind, state, first_seen);
CREATE INDEX incidents_by_class_state ON incidents (class, state, first_seen);
CREATE INDEX incidents_by_all ON incidents (kind, class, state, first_seen);
CREATE INDEX incidents_open ON incidents (first_seen) WHERE is_open = 1;
CREATE INDEX incidents_by_key ON incidents (key, ended_at);
CREATE INDEX incidents_by_end ON incidents (ended_at) WHERE ended_at IS NOT NULL;

-- Every id that a detector has had for an incident.
CREATE TABLE incident_ids (
    detector_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL REFERENCES incidents (number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_ids_by_number ON incident_ids (number);

-- The tables of parts repeat what lists are filtered by: to look it up in incidents for each of the
-- parts that match would be slow.

-- Roles are bits: 1 culprit, 2 victim, 4 propagator, 8 other.
CREATE TABLE incident_asns (
    asn INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    number INTEGER NOT NULL REFERENCES incidents (number) ON DELETE CASCADE,
    roles INTEGER NOT NULL,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    state TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    PRIMARY KEY (asn, first_seen, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_asns_by_number ON incident_asns (number, asn);

CREATE TABLE incident_countries (
    country TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    number INTEGER NOT NULL REFERENCES incidents (number) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    state TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    PRIMARY KEY (country, first_seen, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_countries_by_number ON incident_countries (number, country);

-- Addresses are 17 octets: 4 or 6, then the address from the left, so that they sort as prefixes do.
CREATE TABLE incident_prefixes (
    first BLOB NOT NULL,
    len INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    number INTEGER NOT NULL REFERENCES incidents (number) ON DELETE CASCADE,
    last BLOB NOT NULL,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    state TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    PRIMARY KEY (first, len, first_seen, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_prefixes_by_number ON incident_prefixes (number, first, len);

CREATE TABLE feed_states (
    feed TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    detail TEXT,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (
    feed TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    filled INTEGER NOT NULL,
    detail TEXT,
    seq INTEGER NOT NULL,
    PRIMARY KEY (feed, started_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX gaps_by_time ON gaps (started_at);

CREATE TABLE facts_versions (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    detail TEXT,
    seq INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX facts_versions_by_time ON facts_versions (applied_at);

-- What is to be told, and what has been: one row for each change of an incident that is told.
CREATE TABLE reports (
    number INTEGER NOT NULL REFERENCES incidents (number) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    change TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent')),
    seq INTEGER NOT NULL,
    sent_seq INTEGER,
    PRIMARY KEY (number, version, change)
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_pending ON reports (seq) WHERE state = 'pending';
CREATE INDEX reports_by_seq ON reports (seq);

-- Numbers that are never given again, even when what had them is gone.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Incidents by the day on which they were first seen (midnight, UTC), kept up by the triggers below.
CREATE TABLE incident_counts (
    day INTEGER NOT NULL,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, kind, class)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER incidents_counted AFTER INSERT ON incidents
BEGIN
    INSERT INTO incident_counts (day, kind, class, count)
    VALUES (NEW.first_seen / 86400000000 * 86400000000, NEW.kind, NEW.class, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER incidents_uncounted AFTER DELETE ON incidents
BEGIN
    UPDATE incident_counts SET count = count - 1
    WHERE day = OLD.first_seen / 86400000000 * 86400000000 AND kind = OLD.kind AND class = OLD.class;
    DELETE FROM incident_counts
    WHERE day = OLD.first_seen / 86400000000 * 86400000000 AND kind = OLD.kind AND class = OLD.class
        AND count = 0;
END;
CREATE TRIGGER incidents_recounted AFTER UPDATE ON incidents
WHEN OLD.first_seen <> NEW.first_seen OR OLD.kind <> NEW.kind OR OLD.class <> NEW.class
BEGIN
    UPDATE incident_counts SET count = count - 1
    WHERE day = OLD.first_seen / 86400000000 * 86400000000 AND kind = OLD.kind AND class = OLD.class;
    DELETE FROM incident_counts
    WHERE day = OLD.first_seen / 86400000000 * 86400000000 AND kind = OLD.kind AND class = OLD.class
        AND count = 0;
    INSERT INTO incident_counts (day, kind, class, count)
    VALUES (NEW.first_seen / 86400000000 * 86400000000, NEW.kind, NEW.class, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
