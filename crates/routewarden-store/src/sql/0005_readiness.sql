-- What people found of incidents; made of the journal. Deferred: earlier versions of an incident may
-- be gone from the journal, and then its verdict comes first when the tables are made anew.
CREATE TABLE verdicts (
    number INTEGER PRIMARY KEY
        REFERENCES incidents (number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    given_by TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

-- Incidents that lasted longer than a day, so that those of a period are found by when they were first
-- seen: the others were at most a day before it. The same number is in period.rs.
CREATE INDEX incidents_long ON incidents (first_seen, number, ended_at)
    WHERE ended_at - first_seen > 86400000000;

-- What readiness was measured from, for each period. Not made of the journal, and not touched when the
-- tables are made anew; the journal has the digests of those that are closed.
CREATE TABLE readiness_inputs (
    id INTEGER PRIMARY KEY,
    -- The period, in microseconds since 1970; until is not in it.
    since INTEGER NOT NULL,
    until INTEGER NOT NULL CHECK (until > since),
    data BLOB NOT NULL,
    -- JSON.
    sources TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    measured_at INTEGER NOT NULL,
    -- The row of the journal with the digests; NULL while the period is open.
    seq INTEGER,
    UNIQUE (since, until)
) STRICT;
CREATE TRIGGER closed_inputs_are_never_changed BEFORE UPDATE ON readiness_inputs
WHEN OLD.seq IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the period is closed');
END;
CREATE TRIGGER closed_inputs_are_never_cut BEFORE DELETE ON readiness_inputs
WHEN OLD.seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM maintenance WHERE task = 'retention')
BEGIN
    SELECT RAISE(ABORT, 'the period is closed');
END;
-- INSERT OR REPLACE fires no other trigger.
CREATE TRIGGER closed_inputs_are_never_replaced BEFORE INSERT ON readiness_inputs
WHEN EXISTS (SELECT 1 FROM readiness_inputs
    WHERE seq IS NOT NULL AND (id = NEW.id OR (since = NEW.since AND until = NEW.until)))
BEGIN
    SELECT RAISE(ABORT, 'the period is closed');
END;

-- Scores of all networks, for each profile and period.
CREATE TABLE readiness_scores (
    id INTEGER PRIMARY KEY,
    profile TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL CHECK (until > since),
    profile_sha256 BLOB NOT NULL CHECK (length(profile_sha256) = 32),
    inputs_sha256 BLOB NOT NULL CHECK (length(inputs_sha256) = 32),
    events_sha256 BLOB NOT NULL CHECK (length(events_sha256) = 32),
    scores_sha256 BLOB NOT NULL CHECK (length(scores_sha256) = 32),
    ases INTEGER NOT NULL,
    measured_at INTEGER NOT NULL,
    -- The row of the journal with the digests; NULL while the period is open.
    seq INTEGER,
    UNIQUE (profile, since, until)
) STRICT;
CREATE INDEX readiness_scores_by_period ON readiness_scores (since, until);

CREATE TABLE readiness_blocks (
    id INTEGER NOT NULL REFERENCES readiness_scores (id) ON DELETE CASCADE,
    -- The first and the last AS in it.
    first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first),
    data BLOB NOT NULL,
    PRIMARY KEY (id, first)
) STRICT;

-- Routes seen so far in a month, told by its beginning.
CREATE TABLE readiness_routes (
    month INTEGER PRIMARY KEY,
    data BLOB NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT;
