-- What was decided, in the order in which it was recorded. Rows are never changed.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX journal_by_subject ON journal (subject, seq);
CREATE INDEX journal_by_recorded_at ON journal (recorded_at);

-- Runs of numbers that retention took out, so that the chain of hashes can be followed over them.
CREATE TABLE journal_pruned (
    first_seq INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL CHECK (last_seq >= first_seq),
    hash_before BLOB NOT NULL CHECK (length(hash_before) = 32),
    hash_after BLOB NOT NULL CHECK (length(hash_after) = 32)
) STRICT;

-- Has a row only inside a transaction of retention: then rows of the journal may be deleted.
CREATE TABLE maintenance (task TEXT PRIMARY KEY) STRICT;

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal
WHEN NOT EXISTS (SELECT 1 FROM maintenance WHERE task = 'retention')
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
-- Also keeps INSERT OR REPLACE from putting a row in the place of another: it fires no other trigger.
CREATE TRIGGER journal_only_grows BEFORE INSERT ON journal
WHEN NEW.seq <= (SELECT max(seq) FROM journal)
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
